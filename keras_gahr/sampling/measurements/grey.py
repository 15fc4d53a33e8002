"""A grey version of a colour image is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_gahr.errors import InputError

from .measurement import Measurement, checked_shape


class Grey(Measurement):
    """Sums over the channels, divided by the root of their number; observed are the means.

    Args:
        shape: of one image, `(height, width, channels)`.

    Raises:
        InputError: if there is one channel.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> grey = kg.measurements.Grey((8, 8, 3))
        >>> float(grey(np.full((8, 8, 3), 0.5))[0, 0, 0])
        0.5
    """

    gives_pictures = True

    def __init__(self, shape: Sequence[int]) -> None:
        shape = checked_shape(shape)
        *sides, channels = shape
        if channels < 2:
            raise InputError("received grey images, expected colour ones to measure the grey of")
        self.shape = tuple(shape)
        self.measured_shape = (*sides, 1)
        self._root = math.sqrt(channels)

    def measure(self, images: Any) -> Any:
        return ops.sum(images, axis=-1, keepdims=True) / self._root

    def back_project(self, measured: Any) -> Any:
        return ops.repeat(measured, self.shape[2], axis=-1) / self._root

    def observe(self, images: Any) -> Any:
        return ops.mean(images, axis=-1, keepdims=True)

    def measured_from(self, observed: Any) -> Any:
        return observed * self._root
