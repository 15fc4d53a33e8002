"""The closest images and their rival's are the same, but near copies."""

import numpy as np
import pytest

from benchmarks.nearest import by_products, image_file, near_samples, ours

pytestmark = pytest.mark.one_backend


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_both_ways_find_the_same_images(dtype):
    with image_file(300, dtype) as path:
        samples = near_samples(path, 40)
        (index, distance), (expected, rough) = ours(samples, path), by_products(samples, path)
        images = np.load(path).reshape(300, -1)
    np.testing.assert_array_equal(index, expected)
    copies = slice(0, None, 10)
    np.testing.assert_allclose(
        np.delete(distance, copies, 0), np.delete(rough, copies, 0), rtol=1e-4
    )
    images = images / 255 if dtype == "uint8" else images
    exact = np.sqrt(np.mean((samples.reshape(40, -1)[:, None] - np.float64(images)) ** 2, axis=2))
    np.testing.assert_allclose(distance, np.sort(exact, axis=1)[:, :2], rtol=1e-4)
    assert np.abs(rough[copies, 0] / np.sort(exact, axis=1)[copies, 0] - 1).max() > 1e-4
