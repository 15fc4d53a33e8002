"""The measurement that keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from .measurement import Measurement, checked_shape


class Synthesis(Measurement):
    """Nothing is known of the image, so that the sampler draws from the prior.

    Args:
        shape: of one image, `(height, width, channels)`.

    Examples:
        >>> import keras_gahr as kg
        >>> kg.measurements.Synthesis((8, 8, 1)).measured_shape
        (0,)
    """

    def __init__(self, shape: Sequence[int]) -> None:
        shape = checked_shape(shape)
        self.shape = tuple(shape)
        self.measured_shape = (0,)

    def measure(self, images: Any) -> Any:
        return images[:, :0, 0, 0]

    def back_project(self, measured: Any) -> Any:
        return ops.zeros((measured.shape[0], *self.shape), dtype="float32")

    def project(self, images: Any) -> Any:
        return ops.zeros_like(images)

    def ascent_direction(self, residual: Any, images: Any, known: Any) -> Any:
        return residual
