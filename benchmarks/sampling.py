"""16 images of 40x40 from the full UNet, against the published loop: PyTorch, one image at a time.

The loop runs in a process of its own, of the interpreter in GAHR_TORCH_PYTHON or else this one.
"""

import os
import subprocess
import sys

import numpy as np

from keras_gahr.denoisers import UNet
from keras_gahr.sampling import AscentSchedule, sample

SIDE, STEPS, COUNT, LOOPED = 40, 98, 16, 2


def cases():
    """Yields (name, ways) as `alternate` takes them."""
    import keras

    python = os.environ.get("GAHR_TORCH_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
        print(f"sampling: skipped, {python} has no PyTorch: set GAHR_TORCH_PYTHON", file=sys.stderr)
        return
    denoiser = UNet(seed=0)
    schedule = AscentSchedule(beta=0.1, max_steps=STEPS)
    with subprocess.Popen(
        [python, "-m", "benchmarks.published_sampler"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as rival:
        yield (
            f"sampling {SIDE}x{SIDE}, {STEPS} steps",
            {
                "PyTorch loop": (lambda: loop(rival), LOOPED),
                keras.backend.backend(): (lambda: ours(denoiser, schedule), COUNT),
            },
        )
        rival.stdin.close()


def loop(rival):
    """Images one at a time in the other process."""
    for _ in range(LOOPED):
        print(SIDE, STEPS, file=rival.stdin, flush=True)
        float(rival.stdout.readline())


def ours(denoiser, schedule):
    """Images in one batch. An untrained network sees no noise, so the steps are told to go on."""
    noise = np.zeros
    return sample(denoiser, (SIDE, SIDE, 1), count=COUNT, schedule=schedule)
