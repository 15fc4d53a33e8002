"""How well an oracle denoises in an orthonormal basis.

The oracle knows which coefficients of the clean image are above the noise and keeps those of the noisy
one. How few it needs, and how good the result is, shows how well a basis fits an image.
"""

from collections.abc import Callable

import numpy as np

from keras_gahr.datasets.stacks import as_one_exact
from keras_gahr.errors import InputError
from keras_gahr.noise import parse_sigma
from keras_gahr.psnr import psnr_of_any


def oracle_psnr(
    clean: np.ndarray,
    noisy: np.ndarray,
    sigma: float,
    coefficients: Callable[[np.ndarray], np.ndarray],
) -> tuple[float, int]:
    """The PSNR that an oracle reaches by keeping noisy coefficients where |<x, e>| > sigma.

    Args:
        clean, noisy: x and y, (height, width, channels).
        sigma: noise level, in units of [0, 1].
        coefficients: maps an image to its coefficients in orthonormal vectors, such as
            `dct_coefficients` or `Eigenbasis.coefficients`. Where they are fewer than the values in
            the image, the rest of the image is set to 0.

    Returns:
        dB, and the number of coefficients kept.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import dct_coefficients, oracle_psnr
        >>> clean = np.full((8, 8, 1), 0.5)
        >>> noisy = clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape)
        >>> decibels, kept = oracle_psnr(clean, noisy, 0.1, dct_coefficients)
        >>> kept
        1
    """
    clean, noisy = as_one_exact(clean), as_one_exact(noisy)
    if clean.shape != noisy.shape:
        raise InputError(
            f"received a clean image of shape {clean.shape} and a noisy one of {noisy.shape}, expected one "
            "shape"
        )
    sigma = parse_sigma(sigma)
    known, seen = np.ravel(coefficients(clean)), np.ravel(coefficients(noisy))
    kept = np.abs(known) > sigma
    outside = np.sum(np.square(clean, dtype=np.float64)) - np.sum(known**2)
    error = np.sum((seen - known)[kept] ** 2) + np.sum(known[~kept] ** 2) + max(outside, 0)
    root = np.sqrt(error / np.size(clean))
    return float(psnr_of_any(np.array([root]), 0)[0]), int(np.count_nonzero(kept))
