"""Random measurements of large images, without a matrix as large as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from scipy.fft import dct

from keras_gahr.noise import check_seed

from .measurement import Measurement, checked_shape
from .subset import random_subset


class RandomTransform(Measurement):
    """A random subset of the coefficients of the cosine transform, after random signs of the pixels.

    The signs spread every image over all frequencies, so that the measurements are nearly as good as
    inner products with random images (a subsampled randomized orthonormal transform), while they
    take two small products, with the cosine matrices of the height and the width.

    Args:
        shape: of one image, `(height, width, channels)`.
        fraction: number of measurements over the number of values of an image.
        seed: of signs and subset.

    Raises:
        InputError: for a fraction that is not in (0, 1].

    Examples:
        >>> import keras_gahr as kg
        >>> kg.measurements.RandomTransform((8, 8, 1), 0.25).measured_shape
        (16,)
    """

    def __init__(self, shape: Sequence[int], fraction: float, seed: int = 0) -> None:
        shape = checked_shape(shape)
        rng = np.random.default_rng(check_seed(seed))
        size = math.prod(shape)
        signs = np.where(rng.random(shape) < 0.5, np.float32(-1), np.float32(1))
        kept = random_subset(fraction, size, rng)
        mask = np.zeros(shape, np.float32)
        mask.flat[kept] = 1
        # Where each coefficient stands among the measured ones; behind them stands a zero.
        places = np.full(size, len(kept), np.int32)
        places[kept] = np.arange(len(kept))
        self.shape = tuple(shape)
        self.measured_shape = (len(kept),)
        self._signs = ops.convert_to_tensor(signs)
        self._mask = ops.convert_to_tensor(mask)
        self._kept = ops.convert_to_tensor(kept.astype(np.int32))
        self._places = ops.convert_to_tensor(places)
        self._rows, self._columns = (
            ops.convert_to_tensor(dct(np.eye(side), axis=0, norm="ortho").astype(np.float32))
            for side in shape[:2]
        )

    def measure(self, images: Any) -> Any:
        coefficients = ops.reshape(self._transform(images), (-1, math.prod(self.shape)))
        return ops.take(coefficients, self._kept, axis=1)

    def back_project(self, measured: Any) -> Any:
        padded = ops.concatenate([measured, ops.zeros_like(measured[:, :1])], axis=1)
        coefficients = ops.take(padded, self._places, axis=1)
        return self._inverse(ops.reshape(coefficients, (-1, *self.shape)))

    def project(self, images: Any) -> Any:
        return self._inverse(self._mask * self._transform(images))

    def _transform(self, images):
        rows = ops.einsum("hi,bijc->bhjc", self._rows, self._signs * images)
        return ops.einsum("wj,bhjc->bhwc", self._columns, rows)

    def _inverse(self, coefficients):
        rows = ops.einsum("hi,bhwc->biwc", self._rows, coefficients)
        return self._signs * ops.einsum("wj,biwc->bijc", self._columns, rows)
