"""Trainings as jobs of a real cluster, which is this machine: `tox -e slurm`."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import slurm_cluster
import tolerances
from networks import relative_difference
from sweeping import task
from waiting import FOR_EVER, wait_until

from keras_gahr.denoisers import load_denoiser
from keras_gahr.errors import InputError
from keras_gahr.reproduction.launchers import SubmititLauncher
from keras_gahr.reproduction.sweep import Sweep
from keras_gahr.reproduction.workspace import Workspace
from keras_gahr.training.watch.history import read_history

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def cluster(request):
    """A `Cluster`, which is ended with all of its jobs; its logs are kept if a test fails."""
    pytest.importorskip("submitit", reason="submitit is not installed")
    if reason := slurm_cluster.missing():
        pytest.skip(reason)
    folder = tempfile.mkdtemp(prefix="slurm-")
    cluster = slurm_cluster.Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
    if request.session.testsfailed:
        print(f"logs of the cluster: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.reproduction.slurm_queue._SECONDS_BETWEEN_LOOKS", 1.0)
    return Workspace(tmp_path / "workspace")


class Training:
    """A training without end, and what is seen of it from outside."""

    def __init__(self, workspace, cluster):
        self.workspace = workspace
        self.cluster = cluster
        self.task = task(epochs=1_000_000)
        self.run = workspace.run_path(self.task)

    def job(self):
        """The newest job and its state."""
        lines = self.cluster.run("squeue", "--noheader", "--states=all", "--format=%i %T")
        return max((line.split() for line in lines.splitlines()), key=lambda line: int(line[0]))

    def begun(self, times):
        """Whether it has begun or gone on so often, and kept a state after that."""
        log = self.workspace.log_path(self.task)
        lines = log.read_text().splitlines() if log.exists() else []
        begins = [i for i, line in enumerate(lines) if " in /" in line]
        if len(begins) < times:
            return False
        return any(line.startswith("epoch") for line in lines[begins[times - 1] :])

    def kept(self):
        """Whether it has stopped with its state, instead of being killed."""
        return self.workspace.state(self.task) == "stopped"


def put_back(training, times):
    """Waits until a job is back in the queue, and until it has gone on."""
    while training.job()[1] != "PENDING":
        yield
    assert training.kept()
    while not training.begun(times):
        yield


def sweep(workspace, tasks, story=(), **options):
    """Trains as jobs, while a story goes on, whose steps do not wait."""
    for each in tasks:
        workspace.make_dataset(each.dataset)
    options = {"cpus_per_task": 1, **options}
    launcher = SubmititLauncher(workspace.folder / "submitit", "slurm", options, jobs=2)
    given_up = time.monotonic() + FOR_EVER
    steps = iter(story)

    def progress(done, total, labels):
        assert time.monotonic() < given_up, "it hangs"
        next(steps, None)

    return Sweep(workspace, tasks, launcher, progress).run()


def test_a_report(cluster, tmp_path):
    """From the command to the report, with nothing on the screen that is not of the package."""
    arguments = ["reproduce", "ray", "--scale", "smoke", "--set", "epochs=1", "--out", tmp_path]
    done = subprocess.run(
        [sys.executable, "-m", "keras_gahr", *map(str, arguments), "--launcher", "slurm"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=FOR_EVER,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ray" / "report.html").exists()
    assert "sacct" not in done.stderr and "accounting" not in done.stderr
    assert "WARNING" not in done.stderr
    # How it knows without them is said once.
    assert done.stderr.count("squeue") == 1


def test_a_training_goes_on_after_what_clusters_do_to_jobs(cluster, workspace):
    """Put back by hand, out of time, out of the way of another job, and cancelled in the end."""
    training = Training(workspace, cluster)

    def story():
        while not training.begun(1):
            yield
        cluster.run("scontrol", "requeue", training.job()[0])
        yield from put_back(training, 2)
        # What SLURM does when the time of a job is nearly over.
        cluster.run("scancel", "--signal=USR2", training.job()[0])
        yield from put_back(training, 3)
        # One that takes the whole node.
        nothing = ["--output=/dev/null", "--wrap=true"]
        cluster.run("sbatch", "--partition=high", "--exclusive", *nothing)
        while not training.kept():
            yield
        while not training.begun(4):
            yield
        cluster.run("scancel", training.job()[0])

    result = sweep(workspace, [training.task], story())
    (line,) = result.failures
    assert result.signal is None
    assert "was cancelled" in line and line.endswith("the same command goes on from its state")
    assert training.kept()


def test_a_node_that_dies(cluster, workspace):
    """Its job starts again where it was when the node is back, or is given up if it may not."""
    training = Training(workspace, cluster)

    def story():
        while not training.begun(1):
            yield
        cluster.kill_node()
        while training.job()[1] != "PENDING":
            yield
        # It must not start while SLURM 22.05 still kills the step that it had there: in the second in which
        # the node is back, and again 45 seconds later, when what the node did not answer is sent anew,
        # once a minute at the latest. Held, it cannot, however long the node takes.
        job = training.job()[0]
        cluster.run("scontrol", "hold", job)
        cluster.start_node()
        cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now+80")
        cluster.run("scontrol", "release", job)
        while not training.begun(2):
            yield
        cluster.run("scontrol", "update", f"JobId={training.job()[0]}", "Requeue=0")
        cluster.kill_node()

    result = sweep(workspace, [training.task], story())
    (line,) = result.failures
    assert "lost its node" in line
    cluster.start_node()
    wait_until(lambda: not workspace.is_busy(training.task))

    def goes_on():
        while not training.begun(3):
            yield
        cluster.run("scancel", training.job()[0])

    assert "was cancelled" in sweep(workspace, [training.task], goes_on()).failures[0]


def test_a_job_that_is_not_taken_is_one_line(cluster, workspace):
    with pytest.raises(InputError, match=r"does not take the job: .*invalid partition"):
        sweep(workspace, [task()], partition="nowhere")


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_processes_of_srun_train_as_one(cluster, tmp_path, smooth_images, backend):
    """Two of them share each batch, and give the losses and the network of one."""
    pytest.importorskip(backend)
    images = tmp_path / "images.npy"
    np.save(images, smooth_images(40, 8, 8))
    size = ["--num-kernels", "4", "--num-blocks", "1", "--epochs", "2", "--images-per-epoch", "40"]
    train = ["--backend", backend, "train", images, *size, "--batch-size", "8", "--test-size", "8"]
    runs = [tmp_path / "one", tmp_path / "two"]
    # On JAX each process is a host, which has one processor for a device.
    share = ["--devices", "2" if backend == "torch" else "1"]
    for run, processes, devices in zip(runs, ("1", "2"), ([], share), strict=True):
        command = ["srun", f"-n{processes}", sys.executable, "-m", "keras_gahr", *train]
        done = subprocess.run(
            [*map(str, command), "--out", str(run), *devices],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=FOR_EVER,
        )
        assert done.returncode == 0, done.stderr
    one, two = (load_denoiser(run / "model.keras").get_weights() for run in runs)
    for ours, theirs in zip(one, two, strict=True):
        assert relative_difference(theirs, ours) < tolerances.TWO_DEVICES
    one, two = (read_history(run / "history.csv") for run in runs)
    assert len(one) == len(two) == 2
    for row, other in zip(one, two, strict=True):
        assert row["train_loss"] == pytest.approx(other["train_loss"], rel=tolerances.TWO_DEVICES)
