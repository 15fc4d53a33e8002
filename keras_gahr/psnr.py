"""Peak signal-to-noise ratio, in dB for images on [0, 1], one value per image."""

import keras_gahr.before_keras  # noqa: F401

# isort: split
import math

import numpy as np
from keras import ops

from keras_gahr.datasets.arrays import NOISY, check_values, refuse_binary, take
from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.errors import InputError
from keras_gahr.noise import keyed_normal

SIGMAS = tuple(float(sigma) for sigma in np.logspace(0, 2.5, 10) / 255)
"""The noise levels of a curve: ten from 1/255 to 316/255, evenly spaced in dB, as published."""

_LEAST_ERROR = 1e-20
"""Mean squared error below which images count as equal (200 dB)."""


def psnr(images, references):
    """-10 log10 of each image's mean squared error, in dB.

    Args:
        images: `(count, ...)`, uint8 in 0..255 or floats in the units of [0, 1]; or a list of images of
            any sizes.
        references: as many, of the same shapes; or one that all are compared with.

    Returns:
        float64 `(count,)`.

    Raises:
        InputError: for other shapes, types and units, and values that are not finite.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.psnr import psnr
        >>> psnr(np.full((2, 8, 8), 0.6), np.full((2, 8, 8), 0.5)).round(2)
        array([20., 20.])
    """
    if isinstance(images, list | tuple):
        if len(images) != len(references):
            raise InputError(
                f"received {len(images)} images and {len(references)} references, expected as many"
            )
        pairs = zip(images, references, strict=True)
        return np.array([psnr(array_of(a)[None], array_of(b)[None])[0] for a, b in pairs])
    images, references = array_of(images), array_of(references)
    for array in (images, references):
        check_values(array, "the array", NOISY)
        refuse_binary(array, "the array")
    if not images.ndim or references.shape not in (images.shape, images.shape[1:]):
        raise InputError(
            f"received images of shape {images.shape} and references of {references.shape}, expected "
            "(count, ...) and as many, or one"
        )
    return psnr_of_any(images, references)


def psnr_of_any(images, references):
    """The same of values that may be of any size, as those of damaged networks are."""
    references = np.broadcast_to(references, images.shape)
    # One image at a time, so that memory does not grow with their number.
    mse = [
        np.mean((_exact(image) - _exact(reference)) ** 2)
        for image, reference in zip(images, references, strict=True)
    ]
    return -10 * np.log10(np.maximum(mse, _LEAST_ERROR))


def _exact(values):
    """Pixel values in units of [0, 1], float64."""
    return values / 255 if values.dtype == np.uint8 else values.astype(np.float64)


def psnr_of_error(error):
    """The same for a tensor of differences `(count, height, width, channels)`, to `(count,)`."""
    mse = ops.mean(ops.square(error), axis=(1, 2, 3))
    return -10 * ops.log10(ops.maximum(mse, _LEAST_ERROR))


def psnr_at(inference, images, sigma, seed=0, draw=0, first=0, limits=None):
    """PSNR of noisy and of denoised images at one noise level.

    The noise of an image depends on the seed, the draw and its place in `images`, and is the same at
    every sigma but for its scale, so that curves over sigma are smooth. Channels that are a condition
    get none and are not counted. The peak is 1, whatever the range of the denoised channels: details
    of a scale, which stay within 1/2 of zero, have a higher PSNR than images for the same noise removed.

    Args:
        inference: an `Inference`.
        images: clean images `(count, height, width, channels)`, or wavelet bands: uint8, bool or floats,
            of which no more are in memory as floats than a pass of the network takes.
        sigma: noise level, in units of [0, 1].
        seed: of the noise.
        draw: index of the noise draw; the noise of different draws is independent.
        first: the place of the first image.
        limits: to which floats are clipped; by default they are not.

    Returns:
        Two arrays `(count,)`, before and after denoising.
    """
    channels = inference.denoiser.output_channels
    step = inference.at_once(images.shape)
    before, after = [], []
    for start in range(0, len(images), step):
        part = take(images, slice(start, start + step), limits)
        clean = part[..., -channels:]
        noisy = add_noise(part, sigma, seed, draw, channels, first + start)
        before.append(psnr_of_any(noisy[..., -channels:], clean))
        after.append(psnr_of_any(inference.denoise(noisy, sigma=sigma), clean))
    return np.concatenate(before), np.concatenate(after)


def add_noise(images, sigma, seed=0, draw=0, channels=None, first=0):
    """The noisy images of `psnr_at`, float32, with noise on the last channels only or on all."""
    noise = keyed_normal(seed, range(first, first + len(images)), draw, images.shape[1:])
    if channels is not None:
        noise[..., :-channels] = 0
    return images + np.float32(sigma) * noise


def psnr_table(inference, images, sigmas, seed=0):
    """Mean PSNR over images at several noise levels.

    Args:
        inference, images, seed: see `psnr_at`.
        sigmas: noise levels, in units of [0, 1].

    Returns:
        A list of (sigma, dB before, dB after denoising).
    """
    return [
        (sigma, *(float(values.mean()) for values in psnr_at(inference, images, sigma, seed)))
        for sigma in sigmas
    ]


def break_even(sigmas, before, after):
    """The noise level below which an image is better left as it is.

    Args:
        sigmas: noise levels, ascending.
        before, after: PSNR of noisy and of denoised images at each.

    Returns:
        Where the last rise of the denoised images above the noisy ones is, between two levels in proportion
        to the dB; 0 if they are above at all levels, and infinite if they are not at the last one.

    Examples:
        >>> from keras_gahr.psnr import break_even
        >>> round(break_even([0.01, 0.1], [40, 20], [30, 30]), 4)
        0.0316
    """
    gains = np.subtract(after, before)
    (lost,) = np.nonzero(gains <= 0)
    if not len(lost):
        return 0.0
    last = lost[-1]
    if last == len(gains) - 1:
        return math.inf
    low, high = np.log(sigmas[last : last + 2])
    return float(np.exp(low + (high - low) * gains[last] / (gains[last] - gains[last + 1])))
