"""Fixed orthonormal bases, and how well an oracle denoises in a basis.

The oracle knows which coefficients of the clean image are above the noise and keeps those of the noisy
one. How few it needs, and how good the result is, shows how well a basis fits an image.
"""

import numpy as np
import pywt
import scipy.fft

from keras_gahr.errors import InputError
from keras_gahr.psnr import psnr

WAVELET = "db4"


def dct_coefficients(image):
    """The orthonormal discrete cosine transform of an image (H, W, C), shaped as it; float64."""
    return scipy.fft.dctn(np.asarray(image, np.float64), axes=(0, 1), norm="ortho")


def dct_image(coefficients):
    """The image of `dct_coefficients`."""
    return scipy.fft.idctn(coefficients, axes=(0, 1), norm="ortho")


def wavelet_coefficients(image, wavelet=WAVELET):
    """The orthonormal periodic wavelet transform of an image (H, W, C), shaped as it; float64.

    As many levels as the sides can be halved and the wavelet is shorter than the band.

    Raises:
        InputError: for a wavelet that is not orthogonal or not known.
    """
    bands = pywt.wavedecn(
        np.asarray(image, np.float64),
        _orthogonal(wavelet),
        mode="periodization",
        level=_levels(np.shape(image), wavelet),
        axes=(0, 1),
    )
    return pywt.coeffs_to_array(bands, axes=(0, 1))[0]


def wavelet_image(coefficients, wavelet=WAVELET):
    """The image of `wavelet_coefficients`."""
    template = pywt.wavedecn(
        np.zeros(coefficients.shape),
        _orthogonal(wavelet),
        mode="periodization",
        level=_levels(coefficients.shape, wavelet),
        axes=(0, 1),
    )
    _, slices = pywt.coeffs_to_array(template, axes=(0, 1))
    bands = pywt.array_to_coeffs(coefficients, slices, output_format="wavedecn")
    return pywt.waverecn(bands, wavelet, mode="periodization", axes=(0, 1))


def oracle_psnr(clean, noisy, sigma, coefficients):
    """The PSNR that an oracle reaches by keeping noisy coefficients where |<x, e>| > sigma.

    Args:
        clean, noisy: x and y, (height, width, channels).
        sigma: noise level, in units of [0, 1].
        coefficients: maps an image to its coefficients in orthonormal vectors, such as
            `dct_coefficients` or `Eigenbasis.coefficients`. Where they are fewer than the values in
            the image, the rest of the image is set to 0.

    Returns:
        dB, and the number of coefficients kept.
    """
    known, seen = np.ravel(coefficients(clean)), np.ravel(coefficients(noisy))
    kept = np.abs(known) > sigma
    outside = np.sum(np.square(clean, dtype=np.float64)) - np.sum(known**2)
    error = np.sum((seen - known)[kept] ** 2) + np.sum(known[~kept] ** 2) + max(outside, 0)
    root = np.sqrt(error / np.size(clean))
    return float(psnr(np.array([root]), 0)[0]), int(np.count_nonzero(kept))


def _levels(shape, wavelet):
    """How many levels to take; odd sides cannot be halved and stay orthonormal."""
    level, (height, width) = 0, shape[:2]
    while height % 2 == width % 2 == 0:
        level, height, width = level + 1, height // 2, width // 2
    return min(level, pywt.dwt_max_level(min(shape[:2]), wavelet))


def _orthogonal(wavelet):
    try:
        known = pywt.Wavelet(wavelet)
    except (ValueError, TypeError) as error:
        raise InputError(f"received wavelet {wavelet!r}, expected one such as db4") from error
    if not known.orthogonal:
        raise InputError(f"received wavelet {wavelet!r}, which is not orthogonal: try db4 or sym4")
    return wavelet
