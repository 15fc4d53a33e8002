"""An image of lower resolution is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole

from .measurement import Measurement, checked_shape


class SuperResolution(Measurement):
    """Sums over blocks of s x s pixels, divided by s; observed are the means of the blocks.

    Args:
        shape: of one image, `(height, width, channels)`.
        factor: s, which must divide both sides.

    Raises:
        InputError: for a factor below 2, or one that does not divide the sides.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> halved = kg.measurements.SuperResolution((8, 8, 1), 2)
        >>> halved(np.full((8, 8), 0.5)).shape
        (4, 4, 1)
    """

    gives_pictures = True

    def __init__(self, shape: Sequence[int], factor: int) -> None:
        shape = checked_shape(shape)
        factor = check_whole(factor, "factor", 1)
        height, width, channels = shape
        if factor < 2:
            raise InputError(f"received a factor of {factor}, expected a whole number from 2 on")
        if height % factor or width % factor:
            raise InputError(
                f"received images of {height}x{width}, whose sides are not multiples of {factor}: "
                "crop the images or choose another factor"
            )
        self.factor = factor
        self.shape = tuple(shape)
        self.measured_shape = (height // factor, width // factor, channels)

    def measure(self, images: Any) -> Any:
        height, width, channels = self.measured_shape
        blocks = ops.reshape(images, (-1, height, self.factor, width, self.factor, channels))
        return ops.sum(blocks, axis=(2, 4)) / self.factor

    def back_project(self, measured: Any) -> Any:
        rows = ops.repeat(measured, self.factor, axis=1)
        return ops.repeat(rows, self.factor, axis=2) / self.factor

    def observe(self, images: Any) -> Any:
        return self.measure(images) / self.factor

    def measured_from(self, observed: Any) -> Any:
        return observed * self.factor
