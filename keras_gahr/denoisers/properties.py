"""What can be measured of any denoiser: its receptive field and how homogeneous it is."""

import math

import numpy as np

from keras_gahr.errors import InputError

from .bias_free_norm import BiasFreeNorm
from .image_norm import ImageNorm
from .inference import Inference

SCALES = (0.01, 0.3, 3.0, 100.0)
"""Factors a at which D(a y) is compared with a D(y)."""

_LONGEST = 2048
# A power of two, so that it scales without rounding; without biases a network answers in proportion,
# and what reaches an edge through twenty layers would fall below the smallest float32 otherwise.
_AMPLITUDE = np.float32(2.0**60)


def receptive_field(denoiser):
    """The height and width, in pixels, of the part of the image that one output pixel depends on.

    It is measured: one line of pixels of a zero image is set to random values of both signs, and the
    lines of the residual that are no longer what they are for the zero image depend on it. Without
    biases those that it does not reach stay exactly zero, so that no threshold is needed. In a network
    that halves its images the field depends on the pixel's place modulo the `size_multiple`: every
    place is tried, and the largest field is returned.

    Raises:
        InputError: if the field is larger than 1024 pixels, or a norm sees the whole image.
    """
    if sees_whole_image(denoiser):
        raise InputError(
            "this denoiser has no receptive field: its norms divide by a deviation of the whole image"
        )
    inference = Inference(denoiser, batch_size=16)
    return tuple(_field(inference, vertical) for vertical in (True, False))


def homogeneity_error(denoiser, scales=SCALES, seed=0):
    """The largest of max |D(a y) - a D(y)| / max |a D(y)| over factors a, for one noisy image y.

    Up to about 1e-5 is rounding, and powers of two scale without any; a bias shows at small a.

    Args:
        denoiser: a `Denoiser`.
        scales: the factors.
        seed: of the image, normal with mean 0.5 and standard deviation 0.2.
    """
    inference = Inference(denoiser)
    side = denoiser.size_multiple * -(-32 // denoiser.size_multiple)
    generator = np.random.default_rng(seed)
    noisy = generator.normal(0.5, 0.2, (1, side, side, denoiser.input_channels)).astype(np.float32)
    denoised = inference.denoise(noisy)
    errors = []
    for scale in np.asarray(scales, np.float32):
        expected = scale * denoised
        difference = np.max(np.abs(inference.denoise(scale * noisy) - expected))
        errors.append(difference / np.max(np.abs(expected)))
    return float(max(errors))


def sees_whole_image(denoiser):
    """Whether it has an `ImageNorm`, so that each pixel depends on all others."""
    return any(isinstance(layer, ImageNorm) for layer in normalizations(denoiser))


def normalizations(denoiser):
    """All `BiasFreeNorm` and `ImageNorm` layers of a denoiser and of its parts."""
    for layer in denoiser.layers:
        if isinstance(layer, BiasFreeNorm | ImageNorm):
            yield layer
        elif hasattr(layer, "layers"):
            yield from normalizations(layer)


def _field(inference, vertical):
    """The height of the receptive field, or its width."""
    # Two at least: networks that pad odd images hide that they halve them.
    period = math.lcm(2, inference.denoiser.size_multiple)
    length = period * -(-128 // period)
    while length <= _LONGEST:
        start = period * (length // (2 * period))
        reached = _reached(inference, vertical, length, start + np.arange(period))
        if not (reached[:, :period].any() or reached[:, -period:].any()):
            return _largest_field(reached, start)
        length *= 2
    raise InputError(
        f"the receptive field of this denoiser is larger than {_LONGEST // 2} pixels, the most that "
        "is measured"
    )


def _reached(inference, vertical, length, lines):
    """Whether output line j depends on each input line: booleans `(len(lines), length)`."""
    period = len(lines)
    width = period * -(-16 // period)
    values = np.random.default_rng(0).standard_normal((width, inference.denoiser.input_channels))
    images = np.zeros((2, period, length, *values.shape), np.float32)
    for index, line in enumerate(lines):
        images[:, index, line] = _AMPLITUDE * values, -_AMPLITUDE * values
    images = images.reshape(-1, length, *values.shape)
    if not vertical:
        images = np.swapaxes(images, 1, 2)
    # Batches of one shape, so that pixels that are equal are computed by equal arithmetic.
    silence = inference.residual(np.zeros_like(images[: inference.batch_size]))
    response = inference.residual(images)
    if silence.any():
        silence = inference.residual(np.zeros_like(images))
        response = response - silence
    changed = response.any(axis=(2, 3) if vertical else (1, 3))
    return changed.reshape(2, period, length).any(axis=0)


def _largest_field(reached, start):
    """The largest field of an output line, given which lines the input lines from `start` reach."""
    period = len(reached)
    index, output = np.nonzero(reached)
    offset = output - (start + index)
    fields = [0]
    # What reaches an output line repeats with the period, as do the offsets from which it is reached.
    for place in range(period):
        offsets = offset[output % period == place]
        if len(offsets):
            fields.append(int(offsets.max() - offsets.min()) + 1)
    return max(fields)
