"""Statistics of intensities."""

import numpy as np
import pytest

from keras_gahr.datasets.statistics import intensities


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_all_values_count_whatever_the_blocks(dtype, monkeypatch):
    images = np.random.default_rng(0).random((23, 5, 4, 3), np.float32)
    images[7] = 1
    images[9] = images[3]
    images[11] = images[3]
    if dtype == "uint8":
        images = np.rint(255 * images).astype(np.uint8)
    monkeypatch.setattr("keras_gahr.datasets.arrays.BLOCK_BYTES", 500)
    monkeypatch.setattr("keras_gahr.datasets.statistics.PART", 130)
    found = intensities(images)
    values = images / (255 if dtype == "uint8" else 1)
    assert found.mean == pytest.approx(values.mean())
    assert found.sd == pytest.approx(values.std())
    assert found.min == pytest.approx(values.min())
    assert found.max == 1
    np.testing.assert_array_equal(found.histogram, np.histogram(values, 64, (0, 1))[0])
    np.testing.assert_allclose(found.image_means, values.mean((1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(found.image_sds, values.std((1, 2, 3)), rtol=1e-5, atol=1e-7)
    assert found.num_constant == 1
    assert found.num_repeated == 2
