"""The two closest of 100,000 images of 64x64 to each of 1,000 samples, against a NumPy product in blocks.

The images are in a file, which both ways map. The rival keeps what |a|^2 + |b|^2 - 2ab gives in float32,
which is off for near copies.
"""

import contextlib
import tempfile
from pathlib import Path

import numpy as np

from keras_gahr.analysis import closest
from keras_gahr.datasets.arrays import release

from .case import Target, Way

SIZE, COUNT, SAMPLES, BLOCK = 64, 100_000, 1_000, 2048


def cases(count=COUNT, samples=SAMPLES):
    """Yields (name, ways); a unit is an image of the set."""
    for dtype in ("uint8", "float32"):
        with image_file(count, dtype) as path:
            given = near_samples(path, samples)
            yield (
                f"closest to {samples:,} samples among {count:,}, {dtype}",
                {
                    "NumPy": Way(lambda path=path, given=given: by_products(given, path), count),
                    "exact": Way(
                        lambda path=path, given=given: ours(given, path), count, Target(each=1.0)
                    ),
                },
            )


@contextlib.contextmanager
def image_file(count, dtype):
    """Yields the path of a .npy file of random images, (count, 64, 64, 1)."""
    generator = np.random.default_rng(0)
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (count, SIZE, SIZE, 1)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        # Not through a memory map, whose pages would count as this process's memory.
        with open(path, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, count, BLOCK):
                shape = (min(BLOCK, count - start), SIZE, SIZE)
                if dtype == "uint8":
                    images = generator.integers(0, 256, shape, np.uint8)
                else:
                    images = generator.random(shape, np.float32)
                file.write(images)
        yield path


def near_samples(path, count):
    """Other random images, every tenth of which is a copy of an image to a thousandth, float32."""
    generator = np.random.default_rng(1)
    samples = generator.random((count, SIZE, SIZE, 1), np.float32)
    copied = np.load(path, mmap_mode="r")[: len(samples[::10])]
    noise = generator.standard_normal(copied.shape, np.float32)
    samples[::10] = copied / np.float32(255 if copied.dtype == np.uint8 else 1) + noise / 1000
    return samples


def ours(samples, path):
    """Indices and distances |x - y| / sqrt(d) of the two closest images."""
    found = closest(samples, np.load(path, mmap_mode="r"), ["distance"], progress=False)["distance"]
    return found.index, found.value


def by_products(samples, path):
    """The same, as it is usually written."""
    images = np.load(path, mmap_mode="r")
    a = samples.reshape(len(samples), -1)
    powers = np.einsum("nd,nd->n", a, a)[:, None]
    index, value = np.zeros((len(a), 2), int), np.full((len(a), 2), np.inf, np.float32)
    for start in range(0, len(images), BLOCK):
        b = images[start : start + BLOCK].reshape(-1, a.shape[1])
        b = b.astype(np.float32) / 255 if b.dtype == np.uint8 else b
        distances = powers + np.einsum("nd,nd->n", b, b) - 2 * (a @ b.T)
        near = np.argpartition(distances, 2, axis=1)[:, :2]
        values = np.concatenate([value, np.take_along_axis(distances, near, axis=1)], axis=1)
        order = np.argsort(values, axis=1)[:, :2]
        value = np.take_along_axis(values, order, axis=1)
        index = np.take_along_axis(np.concatenate([index, start + near], axis=1), order, axis=1)
        release(images)
    return index, np.sqrt(np.maximum(value, 0) / a.shape[1])
