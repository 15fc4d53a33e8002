"""Reading a large dataset costs a batch, not the dataset."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from keras_gahr.datasets import arrays
from keras_gahr.datasets.arrays import are_bytes, as_bytes, read_array, take, to_float

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import sys, tracemalloc
from keras_gahr.datasets import load
from keras_gahr.noise import NoiseLaw
from keras_gahr.training.data.batches import NoisyBatches, TiledBatches

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

before = resident()
tracemalloc.start()
dataset = load(sys.argv[1])
train, test = dataset.split(len(dataset) - 1000, 1000)
batches = TiledBatches(train.images, len(train), 128, seed=0)
noisy = NoisyBatches(test.images, NoiseLaw(), 128, seed=0)
for k in range(0, len(batches), int(sys.argv[2])):
    assert batches[k].shape[1:] == (80, 80, 1)
read = resident()
for k in range(len(noisy)):
    noisy[k]
print(tracemalloc.get_traced_memory()[1], read - before)
"""

BATCH = 128 * 80 * 80 * 4


def memory(path, count, step):
    """The bytes that loading so many images and reading each step-th batch takes at its peak, and
    those by which the process has grown when it is done; the latter include the file's pages."""
    # A file with a hole: it takes no room on disk, and reading it is as reading zeros.
    np.lib.format.open_memmap(path, "w+", np.float32, (count, 80, 80))
    command = [sys.executable, "-c", SCRIPT, str(path), str(step)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return [int(number) for number in done.stdout.split()]


@pytest.mark.parametrize(
    ("count", "step"), [(6_000, 2), pytest.param(200_000, 25, marks=pytest.mark.slow)]
)
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_a_large_dataset(tmp_path, count, step):
    """Of 0.15 and 5 GB."""
    peak, grown = memory(tmp_path / "images.npy", count, step)
    # The noise of the test images takes some more; the order has 8 bytes for each image, drawn and
    # then reduced.
    assert peak < 6 * BATCH + 4 * 8 * count, peak / BATCH
    assert grown < 6 * BATCH + 4 * 8 * count, grown / BATCH


@pytest.mark.one_backend
def test_whether_images_are_bytes_is_seen_in_blocks():
    images = np.zeros((2**12, 64, 64, 1), np.float32)
    tracemalloc.start()
    try:
        assert are_bytes(images)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.6 * images.nbytes
    images[-1] = 3 / 255
    assert as_bytes(images).dtype == np.uint8 and as_bytes(images).max() == 3
    images[-1, -1, -1] = 0.5 / 255
    assert not are_bytes(images) and as_bytes(images) is images


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, bool])
def test_picked_images_are_read_part_by_part(dtype, tmp_path, monkeypatch):
    """A memory map holds what lies around each of them until it is let go of."""
    rng, released = np.random.default_rng(0), []
    np.save(tmp_path / "images.npy", rng.integers(0, 2, (100, 3, 2, 1)).astype(dtype))
    images = read_array(tmp_path / "images.npy")
    monkeypatch.setattr(arrays, "release", released.append)
    places = rng.integers(-100, 100, 90)
    for index in (places, places.tolist(), places.astype(np.int32)):
        found = take(images, index)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, to_float(images)[index])
    assert len(released) == 9
    mask = rng.random(100) < 0.9
    for index in (3, slice(5, 90), mask, [], ..., (places, 0), places[:, None]):
        np.testing.assert_array_equal(take(images, index), to_float(images)[index])
