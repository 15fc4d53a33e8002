"""How well one denoiser is explained by another one, image by image."""

import numpy as np


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
    a, b = (_centred(images) for images in (denoised, explained))
    norms = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    products = (a * b).sum(1)
    return np.maximum(products / np.where(norms > 0, norms, 1), 0) ** 2


def apart(images, others):
    """|x - x'| / sqrt(d), float64 (N,); NaN where one has diverged."""
    return np.sqrt(_power(images, others))


def _power(images, others):
    return np.square(images - others, dtype=np.float64).mean(axis=(1, 2, 3))


def _centred(images):
    flat = images.reshape(len(images), -1).astype(np.float64)
    return flat - flat.mean(axis=1, keepdims=True)
