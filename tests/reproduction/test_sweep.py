"""Datasets and trainings of a workspace: made once, gone on with, and not by two at a time."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sweeping import sines, task
from systems import needs_signals
from waiting import FOR_EVER, wait_until

from keras_gahr.denoisers import load_denoiser
from keras_gahr.errors import InputError
from keras_gahr.files import Busy
from keras_gahr.options.option import check_options
from keras_gahr.reproduction import launchers
from keras_gahr.reproduction.launchers import (
    LocalLauncher,
    Refused,
    SubmititLauncher,
    job_options,
)
from keras_gahr.reproduction.plan import DatasetTask
from keras_gahr.reproduction.sweep import Sweep, unique
from keras_gahr.reproduction.train_task import main as train_task_main
from keras_gahr.reproduction.train_task import train_task
from keras_gahr.reproduction.workspace import Workspace
from keras_gahr.training import TrainingSettings

TESTS = Path(__file__).parent


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


class InThisProcess:
    """A launcher that trains at once, which saves the start of a process."""

    jobs = 1

    def __init__(self):
        self.started = []

    def start(self, task_path, log_path, backend):
        self.started.append(json.loads(task_path.read_text())["label"])
        code = train_task(task_path)
        done = {"poll": lambda self: code, "stop": lambda self, hard=False: None, "ended": None}
        return type("Done", (), done)()


def weights(workspace, task):
    return load_denoiser(workspace.run_path(task) / "model.keras").get_weights()


def sweep(workspace, tasks, launcher):
    for each in tasks:
        workspace.make_dataset(each.dataset)
    return Sweep(workspace, tasks, launcher).run()


def test_finished_trainings_are_not_repeated(workspace):
    launcher = InThisProcess()
    seen = []
    tasks = [task(0), task(1), task(0, label="the first again")]
    for each in tasks:
        workspace.make_dataset(each.dataset)
    result = Sweep(workspace, tasks, launcher, lambda *now: seen.append(now)).run()
    assert result.failures == [] and result.signal is None
    assert launcher.started == ["seed 0", "seed 1"]
    assert seen[-1] == (2, 2, [])
    assert all(before[0] <= after[0] for before, after in itertools.pairwise(seen))
    assert sweep(workspace, [*tasks, task(2)], launcher).failures == []
    assert launcher.started == ["seed 0", "seed 1", "seed 2"]
    run = workspace.finished_run(tasks[0])
    assert [len(part) for part in run.split()] == [16, 4]
    assert run.denoiser().num_parameters > 0
    assert workspace.seconds(tasks[0]) > 0


def test_only_a_run_that_never_had_a_state_is_begun_anew(workspace, capsys):
    one = task(0)
    assert sweep(workspace, [one], InThisProcess()).failures == []
    run, path = workspace.run_path(one), workspace.task_path(one)
    (run / "state.safetensors").unlink()
    before = (run / "model.keras").read_bytes()
    assert train_task_main([str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "state.safetensors" in line and str(run) in line
    assert (run / "model.keras").read_bytes() == before
    # As one that was killed in its first epoch, or after that but before the state was kept.
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "state": "running", "epoch": 0}))
    assert train_task(path) == 0
    assert workspace.is_finished(one) and (run / "state.safetensors").is_file()


def test_trackers_do_not_make_another_training(workspace):
    one = task(0)
    workspace.make_dataset(one.dataset)
    content = json.loads(workspace.write_task(one, "mlflow:sweep").read_text())
    assert content["track"] == "mlflow:sweep" and content["label"] == "seed 0"
    assert "track" not in content["options"]
    assert sweep(workspace, [one], InThisProcess()).failures == []
    config = workspace.run_path(one) / "config.json"
    known = json.loads(config.read_text())
    known["options"]["track"] = "mlflow:another"
    config.write_text(json.dumps(known))
    assert workspace.is_finished(one)


def test_what_trackers_were_not_told_is_said_once(workspace, capsys):
    tasks = [task(0), task(1)]
    for each in tasks:
        workspace.make_dataset(each.dataset)
        log = workspace.log_path(each)
        log.parent.mkdir(parents=True)
        log.write_text("epoch 1\nwarning: mlflow:sweep: no answer\nwarning: of something else\n")
    # What is told is said in the log, and this training tells nobody.
    launcher = InThisProcess()
    launcher.start = lambda *paths: InThisProcess.start(launcher, untracked(paths[0]), *paths[1:])
    assert Sweep(workspace, tasks, launcher, track="mlflow:sweep").run().failures == []
    said = capsys.readouterr().err
    assert (
        said.count("warning: mlflow:sweep: no answer (seed 0, log ") == said.count("no answer") == 1
    )
    assert "something else" not in said


def untracked(path):
    """The task in this file, without its trackers."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "track": None}))
    return path


def test_nested_datasets_are_made_first_and_once(workspace):
    nested = DatasetTask("shuffled", {"dataset": sines(), "seed": 1})
    path = workspace.make_dataset(nested)
    source = workspace.dataset_path(sines())
    plain, shuffled = (np.load(folder / "images.npy") for folder in (source, path))
    assert not np.array_equal(plain, shuffled)
    np.testing.assert_array_equal(np.sort(plain[0].ravel()), np.sort(shuffled[0].ravel()))
    before = path.stat().st_ino
    assert workspace.make_dataset(nested) == path
    assert path.stat().st_ino == before


def test_what_a_killed_dataset_left_is_removed(workspace):
    path = workspace.dataset_path(sines())
    left = path.with_name(f".{path.name}-00000000")
    left.mkdir(parents=True)
    workspace.make_dataset(sines())
    assert not left.exists() and workspace.is_made(sines())


def test_unknown_recipes_are_refused(workspace):
    with pytest.raises(InputError, match="c_alpha, disks"):
        workspace.make_dataset(DatasetTask("clouds", {}))


@needs_signals
def test_a_training_that_was_stopped_goes_on_to_the_same_model(workspace, tmp_path):
    whole = Workspace(tmp_path / "whole")
    assert sweep(whole, [task()], InThisProcess()).failures == []
    workspace.make_dataset(sines())
    path = workspace.write_task(task())
    # A state is kept when an epoch is over: the kill falls on the second one.
    child = subprocess.Popen(
        [sys.executable, str(TESTS / "killed_task.py"), str(path)], env=environment()
    )
    assert child.wait(timeout=FOR_EVER) == -signal.SIGKILL
    assert workspace.state(task()).startswith("interrupted")
    assert workspace.progress(task()) == 0.5
    launcher = InThisProcess()
    assert sweep(workspace, [task()], launcher).failures == []
    assert launcher.started == ["seed 0"] and workspace.is_finished(task())
    for one, other in zip(weights(whole, task()), weights(workspace, task()), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_training_keeps_the_halvings_of_an_earlier_version(workspace, tmp_path, monkeypatch):
    """Of 11 to 19 epochs the rate was halved after each, unless something else was asked for."""

    class Broken(Exception):
        pass

    def stop(self, batch, logs=None):
        if len(self.rows) == 1:
            raise Broken

    def with_earlier_default(settings):
        check_options(settings)
        if settings.halve_every is None:
            object.__setattr__(settings, "halve_every", settings.epochs // 10)

    whole, one = Workspace(tmp_path / "whole"), task(epochs=11)
    with monkeypatch.context() as patch:
        patch.setattr(TrainingSettings, "__post_init__", with_earlier_default)
        assert sweep(whole, [one], InThisProcess()).failures == []
        patch.setattr("keras_gahr.training.watch.history.History.on_train_batch_end", stop)
        with pytest.raises(Broken):
            sweep(workspace, [one], InThisProcess())
    assert sweep(workspace, [one], InThisProcess()).failures == []
    assert workspace.is_finished(one)
    for found, expected in zip(weights(workspace, one), weights(whole, one), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
def test_a_workspace_that_was_moved_goes_on(workspace, tmp_path, monkeypatch):
    """One training is finished, one was stopped in its second epoch by an error."""
    whole = Workspace(tmp_path / "whole")
    assert sweep(whole, [task(0), task(1)], InThisProcess()).failures == []

    class Broken(Exception):
        pass

    def stop(self, batch, logs=None):
        if len(self.rows) == 1:
            raise Broken

    assert sweep(workspace, [task(0)], InThisProcess()).failures == []
    with monkeypatch.context() as patch, pytest.raises(Broken):
        patch.setattr("keras_gahr.training.watch.history.History.on_train_batch_end", stop)
        sweep(workspace, [task(1)], InThisProcess())
    assert workspace.state(task(1)) == "failed"
    moved = Workspace(workspace.folder.rename(tmp_path / "moved"))
    launcher = InThisProcess()
    assert sweep(moved, [task(0), task(1)], launcher).failures == []
    assert launcher.started == ["seed 1"]
    for each in (task(0), task(1)):
        for one, other in zip(weights(whole, each), weights(moved, each), strict=True):
            np.testing.assert_array_equal(one, other)
    assert not workspace.folder.exists()


def test_a_training_that_was_killed_before_its_first_state_starts_again(workspace):
    run = workspace.run_path(task())
    run.mkdir(parents=True)
    (run / ".config-0123abcd.json").write_text("{")
    assert workspace.state(task()) == "missing"
    assert sweep(workspace, [task()], InThisProcess()).failures == []
    assert workspace.is_finished(task())


def test_a_run_directory_of_another_training_is_refused(workspace):
    assert sweep(workspace, [task()], InThisProcess()).failures == []
    config = workspace.run_path(task()) / "config.json"
    content = json.loads(config.read_text())
    content["options"]["epochs"] = 3
    config.write_text(json.dumps(content))
    with pytest.raises(InputError, match="remove it"):
        workspace.state(task())


def test_a_diverged_training_is_named_and_the_others_finish(workspace):
    wild = task(label="wild", learning_rate=1e30)
    result = sweep(workspace, [wild, task()], InThisProcess())
    assert len(result.failures) == 1 and "wild diverged" in result.failures[0]
    assert workspace.is_finished(task())
    launcher = InThisProcess()
    assert "wild diverged" in sweep(workspace, [wild, task()], launcher).failures[0]
    assert launcher.started == []


def test_processes_work_at_a_time_and_a_failure_names_its_log(workspace):
    broken = task(9, label="broken", start_from="/no/such/model.keras")
    tasks = [broken, task(0)]
    result = sweep(workspace, tasks, LocalLauncher(jobs=2))
    (line,) = result.failures
    assert "broken failed (exit code 2" in line and str(workspace.log_path(broken)) in line
    assert "no/such/model.keras" in line
    assert workspace.is_finished(task(0))
    assert "epoch 2" in workspace.log_path(task(0)).read_text()


def test_each_process_has_its_share_of_the_cores(monkeypatch):
    monkeypatch.setattr("keras_gahr.reproduction.launchers.cores", lambda: 8)
    assert LocalLauncher(1)._shares() == {}
    assert LocalLauncher(3)._shares()["OMP_NUM_THREADS"] == "2"
    assert LocalLauncher(20)._shares()["TF_NUM_INTRAOP_THREADS"] == "1"


@pytest.mark.one_backend
@pytest.mark.parametrize("hard", [False, True])
def test_a_process_is_stopped_where_there_are_no_signals(monkeypatch, tmp_path, hard):
    """As on Windows, which has no SIGKILL."""
    ended = []
    process = SimpleNamespace(
        kill=lambda: ended.append(True), terminate=lambda: ended.append(False)
    )
    monkeypatch.setattr(launchers.subprocess, "Popen", lambda *command, **options: process)
    monkeypatch.delattr(signal, "SIGKILL", raising=False)
    LocalLauncher().start(tmp_path / "task.json", tmp_path / "log", "torch").stop(hard)
    assert ended == [hard]


def test_what_another_process_trains_is_waited_for(workspace):
    workspace.make_dataset(sines())
    launcher, seen, entered, leave = InThisProcess(), [], threading.Event(), threading.Event()

    def other():
        with workspace.holding(task(0)):
            entered.set()
            leave.wait(FOR_EVER)

    thread = threading.Thread(target=other)
    thread.start()
    assert entered.wait(FOR_EVER)
    assert workspace.is_busy(task(0)) and not workspace.is_busy(task(1))
    with pytest.raises(Busy):
        train_task(workspace.write_task(task(0)))

    def progress(done, total, labels):
        seen.append(labels)
        if labels and labels[0].startswith("waiting for another process: seed 0"):
            leave.set()

    result = Sweep(workspace, [task(0), task(1)], launcher, progress).run()
    thread.join()
    assert result.failures == []
    assert launcher.started == ["seed 1", "seed 0"]
    assert leave.is_set()


@needs_signals
def test_a_signal_stops_the_children_which_keep_their_state(workspace):
    long = task(epochs=10_000)
    workspace.make_dataset(sines())

    sent, parts = [], []

    def progress(done, total, labels):
        parts.append(done / total)
        # A second one would stop it at once.
        if not sent and (workspace.run_path(long) / "state.safetensors").exists():
            sent.append(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    result = Sweep(workspace, [long], LocalLauncher(), progress).run()
    assert result.signal == signal.SIGINT and result.failures == []
    assert workspace.state(long) == "stopped"
    assert parts[-1] < 1


class Started:
    """A training that goes on until it is stopped, or as long as a function says."""

    ended = None

    def __init__(self, goes_on=lambda: True):
        self.goes_on = goes_on
        self.stops = []

    def poll(self):
        if self.stops:
            return 128 + signal.SIGTERM
        return None if self.goes_on() else 0

    def stop(self, hard=False):
        self.stops.append(hard)


@needs_signals
@pytest.mark.one_backend
@pytest.mark.parametrize("submitted", [True, False])
def test_a_signal_while_a_training_is_started_stops_it(workspace, submitted):
    """Also where the program that submits jobs got it, too, and failed."""
    handle = Started()

    class Launcher:
        jobs = 2

        def start(self, task_path, log_path, backend):
            signal.raise_signal(signal.SIGTERM)
            if not submitted:
                raise Refused("the cluster does not take the job: sbatch: interrupted")
            return handle

    result = sweep(workspace, [task(0), task(1)], Launcher())
    assert result.signal == signal.SIGTERM and result.failures == []
    assert handle.stops == [False] * submitted


@pytest.mark.one_backend
def test_a_job_that_is_not_taken_is_tried_again_when_another_one_ends(workspace, capsys):
    """As where only so many jobs of a user are taken; what runs goes on."""
    events, running = [], []

    class Launcher:
        jobs = 3

        def start(self, task_path, log_path, backend):
            label = json.loads(task_path.read_text())["label"]
            if running:
                events.append(f"refused {label}")
                raise Refused("the cluster does not take the job: QOSMaxSubmitJobPerUserLimit")
            events.append(label)
            running.append(label)
            looks = iter([True] * 3)

            def goes_on():
                if next(looks, False):
                    return True
                running.remove(label)
                return False

            return Started(goes_on)

    assert sweep(workspace, [task(seed) for seed in range(3)], Launcher()).failures == []
    assert events == ["seed 0", "refused seed 1", "seed 1", "refused seed 2", "seed 2"]
    assert capsys.readouterr().err.count("QOSMaxSubmitJobPerUserLimit; trying again") == 1


@pytest.mark.one_backend
def test_a_job_that_is_not_taken_ends_a_sweep_of_which_none_runs(workspace):
    class Launcher:
        jobs = 2

        def start(self, task_path, log_path, backend):
            raise Refused("the cluster does not take the job: no such partition")

    with pytest.raises(InputError, match="no such partition"):
        sweep(workspace, [task(0)], Launcher())


@needs_signals
def test_children_of_a_killed_sweep_end(workspace):
    long = task(epochs=100_000)
    workspace.make_dataset(sines())
    path = workspace.write_task(long)
    code = (
        "import signal, sys, keras\n"
        "from keras_gahr.reproduction.launchers import LocalLauncher\n"
        "handle = LocalLauncher().start(*sys.argv[1:], keras.backend.backend())\n"
        "signal.pause()\n"
    )
    command = [sys.executable, "-c", code, str(path), str(workspace.log_path(long))]
    parent = subprocess.Popen(command, env=environment())
    state = workspace.run_path(long) / "state.safetensors"
    wait_until(state.exists)
    parent.kill()
    parent.wait()
    wait_until(lambda: not workspace.is_busy(long))
    assert workspace.state(long) == "stopped"


@pytest.mark.slow
def test_jobs_of_submitit(workspace):
    pytest.importorskip("submitit", reason="submitit is not installed")
    launcher = SubmititLauncher(workspace.folder / "submitit", "local", {"timeout_min": 5}, jobs=2)
    broken = task(9, label="broken", start_from="/no/such/model.keras")
    result = sweep(workspace, [broken, task(0)], launcher)
    assert len(result.failures) == 1 and "broken failed (exit code 2" in result.failures[0]
    assert workspace.is_finished(task(0))


@pytest.mark.one_backend
def test_options_of_jobs_have_the_types_of_submitit(workspace):
    texts = {
        "timeout_min": "720",
        "mem_gb": "0.5",
        "account": "007",
        "use_srun": "false",
        "stderr_to_stdout": "true",
        "exclusive": "user",
        "setup": "module load cuda",
    }
    assert job_options(texts) == {
        "timeout_min": 720,
        "mem_gb": 0.5,
        "account": "007",
        "use_srun": False,
        "stderr_to_stdout": True,
        "exclusive": "user",
        "setup": ["module load cuda"],
    }


@pytest.mark.one_backend
def test_lines_before_a_job_come_after_its_own(workspace, told):
    SubmititLauncher(workspace.folder, "slurm", {"setup": ["module load cuda"]})
    first, *_, last = told["slurm_setup"]
    assert first.startswith("export PYTHONPATH=") and last == "module load cuda"
    with pytest.raises(InputError, match="timeout_min=720"):
        SubmititLauncher(workspace.folder, "slurm", {"time": "12:00:00"})


@pytest.mark.one_backend
@pytest.mark.parametrize("age", [0, 3600])
def test_a_result_of_an_earlier_job_of_the_same_number_is_none(tmp_path, age):
    result, submitted = tmp_path / "7_0_result.pkl", tmp_path / "7_submitted.pkl"
    for path in (result, submitted):
        path.touch()
    os.utime(result, (1e9 - age, 1e9 - age))
    os.utime(submitted, (1e9, 1e9))
    paths = SimpleNamespace(result_pickle=result, submitted_pickle=submitted)
    launchers._remove_older_result(SimpleNamespace(paths=paths))
    assert result.exists() == (age == 0)


def test_options_that_submitit_does_not_have(workspace):
    pytest.importorskip("submitit", reason="submitit is not installed")
    with pytest.raises(InputError, match="submitit cannot start jobs"):
        SubmititLauncher(workspace.folder, "slurm", {"no_such_option": 1})


def test_a_missing_submitit_names_its_extra(workspace, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(InputError, match=r"keras-gahr\[slurm\]"):
        SubmititLauncher(workspace.folder)


def test_equal_trainings_are_one():
    assert [each.label for each in unique([task(0), task(0, label="again")])] == ["seed 0"]


def environment():
    return {**os.environ, "PYTHONPATH": str(TESTS.parents[1])}
