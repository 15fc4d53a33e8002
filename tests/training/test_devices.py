"""Training on two devices, which are halves of the CPU."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tolerances
from networks import relative_difference
from waiting import FOR_EVER, wait_until

from keras_gahr import BFCNN, InputError
from keras_gahr._backend import parallel
from keras_gahr.noise import NoiseLaw
from keras_gahr.training import TrainingSettings, run_training
from keras_gahr.training.conditions import check_conditions
from keras_gahr.training.data.batches import NoisyBatches, TiledBatches
from keras_gahr.training.devices import processes
from keras_gahr.training.devices.data_parallel import (
    DataParallel,
    SharedBatches,
    check_shares,
    data_parallel,
)
from keras_gahr.training.devices.processes import must_relaunch, relaunch

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("two_devices.py")
BACKEND = keras.backend.backend()


def run_on_two(folder, *arguments):
    """What each process wrote."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
    }
    launcher = []
    if BACKEND == "torch":
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *launcher, SCRIPT, folder, *arguments]
    subprocess.run(command, check=True, env=environment, timeout=FOR_EVER, cwd=ROOT)
    return [np.load(path) for path in sorted(folder.glob("*.npz"))]


def assert_same(result, training, *others):
    """All that a process found of a training is what it found of the others."""
    for name in found_of(result, training):
        for other in others:
            assert np.array_equal(result[f"{training}/{name}"], result[f"{other}/{name}"]), name


def found_of(result, training):
    """The names of what a process found of a training."""
    start = f"{training}/"
    return [name.removeprefix(start) for name in result if name.startswith(start)]


def test_two_devices_train_as_one(tmp_path):
    """The same losses, from the same noise, statistics over whole batches and mean gradients."""
    results = run_on_two(tmp_path)
    assert len(results) == (2 if BACKEND == "torch" else 1)
    for result in results:
        names = found_of(result, "one")
        one, two = ({name: result[f"{kind}/{name}"] for name in names} for kind in ("one", "two"))
        assert len(one["losses"]) == len(two["losses"]) == 20
        assert one["losses"][9] != one["losses"][0]
        for name in names:
            difference = relative_difference(two[name], one[name])
            assert difference < tolerances.TWO_DEVICES, name
    for name in results[0]:
        assert all(np.array_equal(result[name], results[0][name]) for result in results), name


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    return run_on_two(tmp_path_factory.mktemp("more"), "more")


@pytest.mark.slow
def test_two_devices_that_hold_the_images_train_the_same(more):
    for result in more:
        assert len(result["two/losses"]) == 20
        assert_same(result, "one", "two")


@pytest.mark.slow
def test_all_processes_stop_at_the_same_step(more):
    for result in more:
        assert len(result["stopped/losses"]) == 3


@pytest.mark.slow
def test_a_run_on_two_devices_goes_on_to_the_same_weights(more):
    """After it was stopped in the middle of an epoch, whose losses are those of all its steps."""
    for result in more:
        assert len(result["whole/train_loss"]) == 2
        assert_same(result, "whole", "parts", "again")


@pytest.mark.slow
def test_what_one_process_refuses_ends_all(more):
    """In one line each: the others do not wait for it, nor for a connection that is closed."""
    first, *others = (str(result["refused"]) for result in more)
    assert "exists and holds a run" in first
    assert all(said.startswith("another process of this training") for said in others)


def test_one_device_needs_nothing():
    batches = TiledBatches(np.zeros((3, 4, 4, 1), np.uint8), 3, 2, seed=0)
    with data_parallel() as shared:
        assert (shared.count, shared.rank, shared.world, shared.is_first) == (1, 0, 1, True)
        assert shared.share(batches) is batches
        denoiser = BFCNN(num_layers=3, num_kernels=2, seed=0)
        copy = shared.replicate(denoiser)
        assert copy is not denoiser
        for found, expected in zip(copy.get_weights(), denoiser.get_weights(), strict=True):
            assert np.array_equal(found, expected)
    assert keras.distribution.distribution() is None


@pytest.fixture
def two_processes():
    """How a training is spread over two devices of two processes, as the second one sees it."""
    shared = DataParallel(2)
    shared.rank, shared.world = 1, 2
    return shared


@pytest.mark.parametrize(
    ("size", "batch_size", "parts"),
    [(8, 4, [2, 2]), (7, 4, [2]), (5, 4, [2]), (3, 4, [1]), (9, 6, [3]), (11, 6, [3, 2])],
)
def test_all_devices_get_equally_many_images(two_processes, size, batch_size, parts):
    images = np.arange(size, dtype=np.uint8).reshape(-1, 1, 1, 1)
    batches = NoisyBatches(images, NoiseLaw(), batch_size, seed=0)
    part = SharedBatches(batches, two_processes)
    found = [part[i]["clean"] for i in range(len(part))]
    assert [len(batch) for batch in found] == parts
    for i, batch in enumerate(found):
        used = 2 * len(batch)
        assert np.array_equal(batch, batches[i]["clean"][used // 2 : used])


def test_too_few_images_for_the_devices_are_refused(two_processes):
    batches = TiledBatches(np.zeros((1, 4, 4, 1), np.uint8), 1, 4, seed=0)
    with pytest.raises(InputError, match="fewer images than 2 devices"):
        SharedBatches(batches, two_processes)


def test_a_batch_must_divide(two_processes):
    check_shares(4, two_processes.count)
    with pytest.raises(InputError, match="multiple of 2: choose 6"):
        check_shares(5, two_processes.count)


def test_too_few_test_images_are_refused_before_anything_is_written(tmp_path, monkeypatch):
    """Also before an older run is replaced."""
    images = np.zeros((6, 4, 4, 1), np.uint8)
    settings = TrainingSettings(epochs=1, images_per_epoch=4, batch_size=4, devices=2)
    old = tmp_path / "run" / "config.json"
    old.parent.mkdir()
    old.write_text("gahr")
    monkeypatch.setattr(parallel, "device_names", lambda: ["cpu:0", "cpu:1"])
    denoiser = BFCNN(num_layers=2, num_kernels=2)
    with pytest.raises(InputError, match=r"received 1 test images for 2 devices.*--test-size"):
        run_training(denoiser, images[:4], images[4:5], settings, old.parent, overwrite=True)
    assert old.read_text() == "gahr"


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the others limit the sum")
def test_limits_of_the_parts_of_a_gradient_are_refused():
    """Keras' TensorFlow optimizers limit what each device has, so that the sum may be twice as large."""
    images = np.zeros((4, 8, 8, 1), np.uint8)
    settings = TrainingSettings(batch_size=4, devices=2, clip_norm=1.0)
    with pytest.raises(InputError, match="received clip_norm on several devices"):
        check_conditions(BFCNN(num_layers=2, num_kernels=2), images, images[:0], settings)


@pytest.mark.parametrize("count", [0, 10_000])
def test_more_devices_than_there_are_are_refused(count):
    says = {"jax": "XLA_FLAGS", "tensorflow": "set_logical_device_configuration", "torch": "fewer"}
    with pytest.raises(InputError, match=says[BACKEND]), data_parallel(count):
        pass


@pytest.mark.skipif(BACKEND != "torch", reason="a process for each device is PyTorch's way")
def test_processes_must_be_as_many_as_devices(monkeypatch):
    assert must_relaunch(2)
    assert not must_relaunch(1)
    monkeypatch.setattr(parallel, "device_names", lambda: ["cpu:0", "cpu:1"])
    with pytest.raises(InputError, match="torchrun --nproc-per-node 2"), data_parallel(2):
        pass
    monkeypatch.setenv("RANK", "0")
    assert not must_relaunch(2)


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "torch", reason="a process for each device is PyTorch's way")
def test_the_command_is_run_in_two_processes(capfd):
    assert relaunch(["--version"], 2) == 0
    assert capfd.readouterr().out.count("keras-gahr") == 1


class WindowsProcess:
    """As `subprocess.Popen` there: it can be ended, and told nothing.

    Args:
        asked: codes that it answers when it is asked for one, or functions to be called then.
    """

    def __init__(self, asked):
        self.asked = list(asked)
        self.returncode = None

    def poll(self):
        if self.returncode is None and self.asked:
            next_one = self.asked.pop(0)
            self.returncode = next_one() if callable(next_one) else next_one
        return self.returncode

    def send_signal(self, number):
        if number != signal.SIGTERM:
            raise ValueError(f"Unsupported signal: {number}")
        self.kill()

    def kill(self):
        self.returncode = 1 if self.returncode is None else self.returncode


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ([None, 0], [None, 0], 0),
        ([None, 2], [], 2),
        # Its console sends Ctrl-C to each of them.
        ([lambda: signal.raise_signal(signal.SIGINT), 1], [None, None, 1], 128 + signal.SIGINT),
        # The second waits for the first for ever.
        ([lambda: signal.raise_signal(signal.SIGINT), 1], [], 128 + signal.SIGINT),
        # It came after the last step.
        ([lambda: signal.raise_signal(signal.SIGINT), 0], [None, 0], 0),
    ],
)
def test_processes_end_where_there_are_no_signals(monkeypatch, first, second, code):
    """As on Windows, which has no SIGKILL; nothing is left running."""
    started = [WindowsProcess(first), WindowsProcess(second)]
    left = iter(started)
    with monkeypatch.context() as patch:
        patch.setattr(processes, "os", SimpleNamespace(**{**vars(os), "name": "nt"}))
        patch.setattr(processes, "_GRACE_AFTER_A_SIGNAL", 0.5)
        patch.setattr(processes.subprocess, "Popen", lambda *command, **options: next(left))
        patch.delattr(signal, "SIGKILL", raising=False)
        assert relaunch(["--version"], 2) == code
    assert None not in [process.returncode for process in started]


@pytest.mark.one_backend
def test_processes_share_the_cores_that_are_theirs(monkeypatch):
    """A job of a cluster may have few of the machine's."""
    told = []

    def start(command, env, **options):
        told.append(env["OMP_NUM_THREADS"])
        return WindowsProcess([0])

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(processes.subprocess, "Popen", start)
    monkeypatch.setattr(processes, "cores", lambda: 6)
    assert relaunch(["--version"], 2) == 0
    assert told == ["3", "3"]


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "torch", reason="a process for each device is PyTorch's way")
def test_a_mistake_stays_one_line(capfd):
    assert relaunch(["inspect", "nothing.keras"], 2) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert 1 <= len(lines) <= 2
    assert all(line.startswith("error: nothing.keras does not exist") for line in lines)


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "torch", reason="a process for each device is PyTorch's way")
def test_a_killed_command_leaves_no_training_behind(tmp_path, smooth_images):
    """Its processes keep their state and end, though they have minutes to go."""
    np.save(tmp_path / "images.npy", smooth_images(40, 16, 16))
    out = tmp_path / "run"
    options = [
        "--images-per-epoch",
        "1000000",
        "--devices",
        "2",
        "--num-kernels",
        "4",
        "--num-blocks",
        "1",
        "--epochs",
        "1",
    ]
    command = ["train", tmp_path / "images.npy", "--out", out, *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_gahr", *map(str, command)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )

    def wait_for(state, process=None):
        path = out / "status.json"
        wait_until(
            lambda: path.exists() and json.loads(path.read_text())["state"] == state, process
        )

    wait_for("running", process)
    process.kill()
    process.wait()
    wait_for("stopped")
    assert (out / "model.keras").exists()
