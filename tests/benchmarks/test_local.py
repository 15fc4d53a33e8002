"""The local optimum and its rival are the same, but for rounding."""

import numpy as np
import pytest

from benchmarks.local import pictures
from keras_gahr.baselines import LocalBayes

pytestmark = pytest.mark.one_backend
torch = pytest.importorskip("torch")


def test_both_ways_denoise_alike():
    from benchmarks.published.local_optimum import denoised

    images = pictures(5)[:, :10, :9]
    noise = np.random.default_rng(1).standard_normal((2, 10, 9, 1))
    noisy = (images[:2] / 255 + 0.2 * noise).astype(np.float32)
    given, known = (
        torch.from_numpy(a).permute(0, 3, 1, 2) for a in (noisy, images / np.float32(255))
    )
    found = LocalBayes(images, 5, "equivariant", sigma=0.2).denoise(noisy)
    expected = denoised(given, known, 5, 0.2).permute(0, 2, 3, 1)
    np.testing.assert_allclose(found, expected, atol=1e-4)
