"""The Haar pyramid on the backend, scaled so that its low band is the mean over blocks.

With a, b in the upper row of a 2x2 block and c, d in the lower one, the four bands are

    low = (a + b + c + d) / 4       horizontal = (a + b - c - d) / 4
    vertical = (a - b + c - d) / 4  diagonal   = (a - b - c + d) / 4

so that a low band stays on [0, 1]. At scale j (0 is the finest) these are PyWavelets' orthonormal db1
coefficients divided by 2^(j + 1), with its order and signs.
"""

import keras
from keras import ops

from keras_gahr.errors import InputError

from .layers import Layer


def haar_analyze(images):
    """One level: the low band and the details of it.

    Args:
        images: `(batch, height, width, channels)`, height and width even.

    Returns:
        The low band `(batch, height/2, width/2, channels)`, and the horizontal, vertical and diagonal
        details, one after the other in the last axis: `(batch, height/2, width/2, 3 channels)`.

    Raises:
        InputError: for an odd height or width.
    """
    images = ops.convert_to_tensor(images)
    height, width = images.shape[1:3]
    if any(side is not None and side % 2 for side in (height, width)):
        raise InputError(
            f"received images of {height}x{width}, expected an even height and width: crop them"
        )
    # Sums in place of a strided convolution, which a graphics processor may round to TF32.
    a, b = images[:, 0::2, 0::2], images[:, 0::2, 1::2]
    c, d = images[:, 1::2, 0::2], images[:, 1::2, 1::2]
    details = [a + b - c - d, a - b + c - d, a - b - c + d]
    return (a + b + c + d) / 4, ops.concatenate(details, axis=-1) / 4


def haar_synthesize(low, details):
    """The images whose low band and details these are: the inverse of `haar_analyze`."""
    low = ops.convert_to_tensor(low)
    horizontal, vertical, diagonal = ops.split(ops.convert_to_tensor(details), 3, axis=-1)
    upper = [low + horizontal + vertical + diagonal, low + horizontal - vertical - diagonal]
    lower = [low - horizontal + vertical - diagonal, low - horizontal - vertical + diagonal]
    rows = [ops.stack(row, axis=3) for row in (upper, lower)]
    batch, height, width, channels = ops.shape(low)
    return ops.reshape(ops.stack(rows, axis=2), (batch, 2 * height, 2 * width, channels))


def haar_pyramid(images, scales):
    """Several levels.

    Args:
        images: `(batch, height, width, channels)`, height and width multiples of 2^scales.
        scales: how many.

    Returns:
        The coarsest low band, and a list of the details of each scale, the finest first.

    Raises:
        InputError: for sides that do not divide.
    """
    low, details = images, []
    for _ in range(scales):
        low, detail = haar_analyze(low)
        details.append(detail)
    return low, details


def haar_reconstruct(low, details):
    """The images of a pyramid: the inverse of `haar_pyramid`."""
    for detail in reversed(details):
        low = haar_synthesize(low, detail)
    return low


@keras.saving.register_keras_serializable("keras_gahr")
class HaarAnalysis(Layer):
    """`haar_analyze` as a layer."""

    def call(self, images):
        return haar_analyze(images)

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        halves = [side and side // 2 for side in sides]
        return (batch, *halves, channels), (batch, *halves, 3 * channels)


@keras.saving.register_keras_serializable("keras_gahr")
class HaarSynthesis(Layer):
    """`haar_synthesize` as a layer."""

    def call(self, low, details):
        return haar_synthesize(low, details)

    def compute_output_shape(self, low_shape, details_shape):
        batch, *sides, channels = low_shape
        return (batch, *(side and 2 * side for side in sides), channels)
