"""Trains twice: once in peace, once in processes that are killed; run on one backend by a test.

python killed_training.py FOLDER KILLS SEED
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from keras_gahr import UNet
from keras_gahr.training import TrainingSettings, train

SETTINGS = TrainingSettings(
    epochs=5, images_per_epoch=400, batch_size=8, ema=0.9, schedule="cosine", learning_rate=3e-3
)


def run(out):
    """Trains in `out`, going on from its state if there is one; a state is kept at every step."""
    images = np.random.default_rng(0).random((24, 8, 8, 1), np.float32)
    resume = (out / "state.safetensors").exists()
    denoiser = UNet(num_blocks=1, num_kernels=2, seed=int(resume))
    train(
        denoiser if resume else UNet(num_blocks=1, num_kernels=2, seed=1),
        images[:20],
        images[20:],
        SETTINGS,
        out,
        resume=resume,
        overwrite=not resume,
        state_seconds=0.0,
    )


def in_a_child(out):
    """Starts `run` in a process of its own; before that nothing may have been computed here."""
    child = os.fork()
    if child == 0:
        try:
            run(out)
        except BaseException as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return child


def version(path):
    """Changes whenever the file is replaced."""
    return path.stat().st_ino if path.exists() else None


def kill_one(out, delay, after_first_state):
    """Starts `run` and kills it; returns whether it was still running.

    Args:
        out: run directory.
        delay: seconds to wait before the kill.
        after_first_state: whether to count them from the first state that the process writes.
    """
    state = out / "state.safetensors"
    before = version(state)
    child = in_a_child(out)
    while after_first_state and version(state) in {None, before}:
        if os.waitpid(child, os.WNOHANG)[0]:
            sys.exit("the training ended by itself")
        time.sleep(0.001)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def main(folder, kills, seed):
    chance = random.Random(seed)
    killed = 0
    for i in range(kills):
        # Most kills fall on steps and states, some on the start.
        killed += kill_one(folder / "killed", chance.uniform(0, 0.06), after_first_state=i % 5 > 0)
    for out in (folder / "killed", folder / "whole"):
        _, status = os.waitpid(in_a_child(out), 0)
        if status:
            sys.exit(f"{out} did not end: {status}")
    print(f"killed {killed}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
