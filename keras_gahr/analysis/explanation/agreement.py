"""How well one denoiser is explained by another one, image by image."""

import numpy as np

from ..calibration import correlations
from ..similarity import measure_pairs


def unexplained(denoised, explained, noisy):
    """|D(y) - E(y)|^2 / |D(y) - y|^2, float64 (N,): 0 for a perfect explanation.

    1 is no better than an explanation that does nothing.
    """
    return _power(denoised, explained) / np.maximum(
        _power(denoised, noisy), np.finfo(np.float64).tiny
    )


def r_squared(denoised, explained):
    """The square of the correlation of pixels, float64 (N,); 0 where it is negative or there is none.

    As Kamb and Ganguli (arXiv 2412.20292) have it.
    """
    return np.maximum(correlations(denoised, explained), 0) ** 2


def apart(images, others):
    """|x - x'| / sqrt(d), float64 (N,); NaN where one has diverged."""
    return measure_pairs("distance", images, others)


def _power(images, others):
    return np.square(images - others, dtype=np.float64).mean(axis=(1, 2, 3))
