"""Repeated images among 20,000 of 80x80, against the matrix of all correlations in plain PyTorch.

The images are in a file, which the rival reads and this package maps.
"""

import contextlib
import tempfile
from pathlib import Path

import numpy as np

from keras_gahr.datasets.duplicates import find_repeats

from .case import RIVAL, Target, Way
from .rival import Rival

SIZE, SIDE, COUNT, THRESHOLD = 80, 20, 20_000, 0.95


def cases(count=COUNT):
    """Yields (name, ways); a unit is an image."""
    with Rival() as rival, image_file(count) as path:
        request = {"path": str(path), "side": SIDE, "threshold": THRESHOLD}
        yield (
            f"de-duplication of {count:,} images",
            {
                RIVAL: rival.way("deduplication", count, **request),
                "in blocks": Way(lambda: ours(path), count, Target(each=1.0, memory=0.1)),
            },
        )


@contextlib.contextmanager
def image_file(count):
    """Yields the path of a .npy file of images, uint8; the last hundredth repeats the first one.

    The repeats are darker by up to a tenth and noisy, so that their correlation is 0.99 or more. All
    others are blocks of random intensities, which are far from correlated.
    """
    generator = np.random.default_rng(0)
    grids = generator.integers(0, 256, (count, SIDE, SIDE), np.uint8)
    repeats = max(1, count // 100)
    gain = generator.uniform(0.9, 1, (repeats, 1, 1))
    changed = grids[:repeats] * gain + generator.normal(0, 2, grids[:repeats].shape)
    grids[-repeats:] = np.clip(np.round(changed), 0, 255)
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, SIZE, SIZE, 1)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        # Not through a memory map, whose pages would count as this process's memory.
        with open(path, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for grid in grids:
                file.write(np.kron(grid, np.ones((SIZE // SIDE, SIZE // SIDE), np.uint8)))
        yield path


def ours(path):
    """The indices of the images to drop."""
    return find_repeats(np.load(path, mmap_mode="r"), THRESHOLD, SIDE).dropped
