"""Structural similarity of images on [0, 1] (Wang et al. 2004), one value per image."""

import numpy as np
from scipy.ndimage import correlate1d

from keras_gahr.datasets.arrays import NOISY
from keras_gahr.datasets.stacks import exact_values
from keras_gahr.errors import InputError

WINDOW = 11
"""Side of the Gaussian window, and so the smallest side of an image."""

_SIGMA = 1.5
_C1, _C2 = 0.01**2, 0.03**2
"""What keeps the ratios from dividing by zero, for values on [0, 1]."""


def ssim(images, references):
    """Mean over the window's places of (2 m m' + C1) (2 c + C2) / (m^2 + m'^2 + C1) (v + v' + C2).

    m, v and c are means, variances and covariance under the window; only places where it lies within
    the image count. Colour is the mean over the channels.

    Args:
        images, references: arrays `(count, height, width, channels)`, uint8 in 0..255 or floats in the
            units of [0, 1], computed with in float64.

    Returns:
        A float64 array `(count,)`; 1 for equal images.

    Raises:
        InputError: if the shapes differ, a side is smaller than the window, or for other types and units,
            and values that are not finite.
    """
    images, references = (exact_values(array, NOISY) for array in (images, references))
    if images.shape != references.shape or images.ndim != 4:
        raise InputError(
            f"received images of shape {images.shape} and {references.shape}, expected two arrays "
            "(count, height, width, channels) of one shape"
        )
    if min(images.shape[1:3]) < WINDOW:
        raise InputError(
            f"received images of {images.shape[1]}x{images.shape[2]}, expected sides of at least "
            f"{WINDOW}, the window of SSIM"
        )
    return ssim_of_any(images, references)


def ssim_of_any(images, references):
    """The same of floats that may be of any size, as those of restorations that failed are."""
    # One image at a time, so that memory does not grow with their number.
    return np.array([_ssim(*pair) for pair in zip(images, references, strict=True)])


def _ssim(image, reference):
    image, reference = np.asarray(image, np.float64), np.asarray(reference, np.float64)
    mean, other_mean = _smooth(image), _smooth(reference)
    variance = _smooth(image**2) - mean**2
    other_variance = _smooth(reference**2) - other_mean**2
    covariance = _smooth(image * reference) - mean * other_mean
    luminance = (2 * mean * other_mean + _C1) / (mean**2 + other_mean**2 + _C1)
    structure = (2 * covariance + _C2) / (variance + other_variance + _C2)
    return (luminance * structure).mean()


def _smooth(image):
    """Means of (H, W, C) under the window, where it lies within the image."""
    half = WINDOW // 2
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / _SIGMA) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        image = correlate1d(image, weights, axis)
    return image[half:-half, half:-half]
