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
from keras_gahr.training import TrainingSettings, run_training
from keras_gahr.training.resume.state import read_state

SETTINGS = TrainingSettings(
    epochs=5, images_per_epoch=400, batch_size=8, ema=0.9, schedule="cosine", learning_rate=3e-3
)


def run(out):
    """Trains in `out`, going on from its state if there is one; a state is kept at every step."""
    images = np.random.default_rng(0).random((24, 8, 8, 1), np.float32)
    resume = (out / "state.safetensors").exists()
    denoiser = UNet(num_blocks=1, num_kernels=2, seed=int(resume))
    run_training(
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
    if not path.exists():
        return None
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def kill_one(out, states, delay):
    """Starts `run` and kills it.

    Args:
        out: run directory.
        states: how many states the process must have written before; there is one for each step, so
            that a kill after some states falls on steps, however long compiling takes.
        delay: seconds to wait after that.

    Returns:
        Whether it was killed before its first state, and whether it was in the midst of its steps.
    """
    state = out / "state.safetensors"
    last, seen = version(state), 0
    child = in_a_child(out)
    while seen < states:
        if os.waitpid(child, os.WNOHANG)[0]:
            sys.exit("the training ended by itself")
        if version(state) not in {None, last}:
            last, seen = version(state), seen + 1
        time.sleep(0.0005)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
        return False, False
    return seen == 0, seen > 0 and read_state(state)[1]["epoch"] < SETTINGS.epochs


def main(folder, kills, seed):
    chance = random.Random(seed)
    print(f"seed {seed}")
    early = amid = 0
    for i in range(kills):
        # Most kills fall on steps and states, some on the start.
        states, delay = (chance.randint(1, 6), 0.02) if i % 5 else (0, 0.06)
        start, middle = kill_one(folder / "killed", states, chance.uniform(0, delay))
        early, amid = early + start, amid + middle
    for out in (folder / "killed", folder / "whole"):
        _, status = os.waitpid(in_a_child(out), 0)
        if status:
            sys.exit(f"{out} did not end: {status}")
    print(f"killed at the start and in the midst: {early} {amid}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
