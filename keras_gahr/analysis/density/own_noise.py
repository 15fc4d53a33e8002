"""The noise of dequantization, without which the density of images in bytes is infinite."""

import numpy as np

from keras_gahr.datasets.arrays import NOISY, are_bytes, take
from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, check_units, keyed_normal

BYTES_NOISE = float(1 / (255 * np.sqrt(12)))
"""The standard deviation of what rounding to bytes leaves out, in units of [0, 1]."""

DEQUANTIZING = 2**32 - 1
"""The draw of this noise."""


def own_noise(images, dequantize=None):
    """The level of the noise that images get.

    Args:
        images: (N, H, W, C), uint8 or floats in [0, 1].
        dequantize: the level if it is given; else that of bytes or 0.

    Raises:
        InputError: for a negative level.
    """
    if dequantize is None:
        return BYTES_NOISE if are_bytes(images) else 0.0
    if (dequantize := check_number(dequantize, "dequantize")) < 0:
        raise InputError(f"received dequantize {dequantize}, expected a noise level or 0")
    return check_units(float(dequantize))


def with_own_noise(images, places, own, seed, first):
    """The images at some places, float32, with noise of the level `own` that is keyed by `first` + place."""
    clean = take(images, places, NOISY)
    if not own:
        return clean
    noise = keyed_normal(seed, [first + int(k) for k in places], DEQUANTIZING, clean.shape[1:])
    return clean + np.float32(own) * noise
