"""A training whose disk gets full while it writes, and which goes on when there is room again."""

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from disks import limited
from equal_runs import check_equal, check_equal_files

from keras_gahr import InputError, UNet
from keras_gahr.training import TrainingSettings, run_training
from keras_gahr.training.resume.state import read_state, write_state

SETTINGS = TrainingSettings(
    epochs=2, images_per_epoch=64, batch_size=8, learning_rate=3e-3, halve_every=1
)


def run(out, images, epochs=2, **options):
    """Of a network whose state is by far the largest file."""
    settings = dataclasses.replace(SETTINGS, epochs=epochs)
    denoiser = UNet(num_blocks=1, num_kernels=16, seed=0)
    return run_training(denoiser, images[:16], images[16:], settings, out, **options)


def test_a_state_that_does_not_fit_leaves_the_one_before(tmp_path):
    path = tmp_path / "state.safetensors"
    write_state(path, [np.zeros(1000)], {"epoch": 1})
    for size in (0, 1, 4000, path.stat().st_size - 1):
        with (
            limited(size),
            pytest.raises(InputError, match=r"state\.safetensors cannot be written"),
        ):
            write_state(path, [np.ones(1000)], {"epoch": 2})
        arrays, record = read_state(path)
        assert record == {"epoch": 1} and not arrays[0].any()
        assert [item.name for item in tmp_path.iterdir()] == [path.name]
    write_state(path, [np.ones(1000)], {"epoch": 2})
    assert read_state(path)[1] == {"epoch": 2}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["state.safetensors", "model.keras", "events", "levels.csv"])
def test_a_training_goes_on_when_there_is_room_again(tmp_path, smooth_images, name):
    images, out, whole = smooth_images(20, 8, 8), tmp_path / "run", tmp_path / "whole"
    expected = run(whole, images)
    run(out, images, epochs=1)
    before = (out / "state.safetensors").read_bytes()
    path = out / name
    if path.is_dir():
        (path,) = path.iterdir()
    size = path.stat().st_size - 1
    with (
        limited(size),
        pytest.raises(InputError, match="cannot be written: File too large") as caught,
    ):
        run(out, images, resume=True)
    message = str(caught.value)
    assert message.startswith(str(out)) and "/." not in message and "\n" not in message
    assert (out / "state.safetensors").read_bytes() == before
    assert not [item.name for item in out.rglob(".*")]
    found = run(out, images, resume=True)
    check_equal(out, whole, found, expected)


@pytest.mark.slow
def test_a_disk_that_is_full_within_the_write_of_a_state(tmp_path):
    """A real one, in a process that may mount it."""
    unshare = [*map(shutil.which, ["unshare"]), "--user", "--map-root-user", "--mount"]
    if unshare[0] is None or subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("no process here may have mounts of its own")
    script = Path(__file__).with_name("full_disk.py")
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2])}
    command = [*unshare, sys.executable, str(script), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if "nothing can be mounted" in result.stderr:
        pytest.skip("no process here may mount a file system")
    assert result.returncode == 0, result.stderr
    state = tmp_path / "disk" / "run" / "state.safetensors"
    assert result.stdout == f"{state} cannot be written: No space left on device\n"
    check_equal_files(tmp_path / "filled", tmp_path / "whole")
