"""Trains on a disk of its own that gets full within the write of a state; run by a test.

It must run where it may mount: `unshare --user --map-root-user --mount python full_disk.py FOLDER`.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from keras_gahr import InputError, UNet
from keras_gahr.training import TrainingSettings, run_training

MEGABYTES = 4


def run(out, epochs, resume=False):
    images = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
    settings = TrainingSettings(
        epochs=epochs, images_per_epoch=64, batch_size=8, learning_rate=3e-3, halve_every=1
    )
    denoiser = UNet(num_blocks=1, num_kernels=16, seed=0)
    run_training(denoiser, images[:16], images[16:], settings, out, resume=resume)


def fill(disk, left):
    """Fills the disk but for some bytes."""
    status = os.statvfs(disk)
    with open(disk / "filler", "wb") as file:
        file.write(bytes(status.f_bavail * status.f_frsize - left))


def main(folder):
    disk, out = folder / "disk", folder / "disk" / "run"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs"]
    if subprocess.run(["mount", *options, str(disk)], check=False).returncode:
        sys.exit("nothing can be mounted here")
    run(folder / "whole", 2)
    run(out, 1)
    state = out / "state.safetensors"
    before = state.read_bytes()
    # The model, a third of the state, has room beside the old one; half of the state has.
    fill(disk, len(before) // 2 + (out / "model.keras").stat().st_size // 2)
    try:
        run(out, 2, resume=True)
    except InputError as error:
        print(error)
    assert state.read_bytes() == before
    assert not list(out.rglob(".*"))
    (disk / "filler").unlink()
    run(out, 2, resume=True)
    # The disk is gone with this process.
    subprocess.run(["cp", "-r", str(out), str(folder / "filled")], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
