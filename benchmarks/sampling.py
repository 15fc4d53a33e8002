"""16 images of 40x40 from the full UNet, against the published loop: PyTorch, one image at a time.

The loop runs in a process of its own, of the interpreter in GAHR_TORCH_PYTHON or else this one.
"""

import dataclasses
import os
import subprocess
import sys

import keras
import numpy as np

from keras_gahr.denoisers import BiasFreeNorm, UNet, with_precision
from keras_gahr.sampling import AscentSchedule, prepare, sample

SIDE, STEPS, COUNT, LOOPED = 40, 98, 16, 2


def cases():
    """Yields (name, ways) as `alternate` takes them."""
    python = os.environ.get("GAHR_TORCH_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
        print(f"sampling: skipped, {python} has no PyTorch: set GAHR_TORCH_PYTHON", file=sys.stderr)
        return
    denoiser = UNet(seed=0)
    for layer in denoiser.layers:
        if isinstance(layer, BiasFreeNorm):
            # As initialized, deep values are too small for float32, which is slow to compute with.
            layer.gamma.assign(np.full(layer.gamma.shape, 0.5, np.float32))
    mixed = with_precision(denoiser, "mixed_bfloat16")
    schedule = EveryStep(beta=0.1, max_steps=STEPS)
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
                keras.backend.backend(): (ours(denoiser, schedule), COUNT),
                "in bfloat16": (ours(mixed, schedule), COUNT),
            },
        )
        rival.stdin.close()


def loop(rival):
    """Images one at a time in the other process."""
    for _ in range(LOOPED):
        print(SIDE, STEPS, file=rival.stdin, flush=True)
        float(rival.stdout.readline())


def ours(denoiser, schedule):
    """A function that draws images in one batch; compiled once, in the round that is not counted."""
    shape = (SIDE, SIDE, 1)
    prepared = prepare(denoiser, shape, schedule=schedule)

    def draw():
        samples = sample(denoiser, shape, count=COUNT, schedule=schedule, prepared=prepared)
        assert samples.steps.tolist() == [STEPS] * COUNT

    return draw


@dataclasses.dataclass(frozen=True)
class EveryStep(AscentSchedule):
    """Takes all steps, although an untrained network sees no noise."""

    def active(self, sigma):
        return sigma >= 0
