"""The equivariant local optimum of 100 images of 28x28, for squares of 15x15, against PyTorch's `unfold`."""

import tempfile
from pathlib import Path

import numpy as np

import keras_gahr as kg

from .case import RIVAL, Target, Way
from .rival import Rival

SIZE, COUNT, NOISY, SIDE, SIGMA = 28, 100, 4, 15, 0.1


def cases(count=COUNT, noisy=NOISY):
    """Yields (name, ways); a unit is a noisy image."""
    images = pictures(count)
    with tempfile.TemporaryDirectory() as folder, Rival() as rival:
        path = Path(folder) / "images.npy"
        np.save(path, images)
        yield (
            f"ELS, squares of {SIDE} in {count} images of {SIZE}x{SIZE}",
            {
                RIVAL: rival.way("local", noisy, path=str(path), side=SIDE, sigma=SIGMA),
                "exact": Way(Optimum(images, noisy), noisy, Target(each=1.0, memory=1.0)),
            },
        )


def pictures(count):
    """Smooth random images, uint8 (count, 28, 28, 1)."""
    steps = np.random.default_rng(0).standard_normal((count, SIZE, SIZE, 1))
    return np.clip(128 + 20 * np.cumsum(steps, axis=2), 0, 255).astype(np.uint8)


class Optimum:
    """Denoises noisy images; made in the first call."""

    def __init__(self, images, count):
        self.images = images
        self.count = count
        self.inference = None

    def __call__(self):
        if self.inference is None:
            optimum = kg.baselines.LocalBayes(self.images, SIDE, "equivariant", sigma=SIGMA)
            self.inference = kg.Inference(optimum)
            noise = np.random.default_rng(1).standard_normal((self.count, SIZE, SIZE, 1))
            self.noisy = (self.images[: self.count] / 255 + SIGMA * noise).astype(np.float32)
        return self.inference.denoise(self.noisy)
