"""Inner products with random orthonormal images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from keras import ops

from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.errors import InputError
from keras_gahr.noise import check_seed

from .measurement import Measurement, checked_shape
from .subset import kept_count

_LARGEST = 2**25
"""Numbers in a basis: 128 MiB, and a minute of orthogonalization."""


class RandomBasis(Measurement):
    """Inner products with the columns of Q, where QR is a random matrix of normal numbers.

    Args:
        shape: of one image, `(height, width, channels)`.
        fraction: number of columns over the number of values of an image, d.
        seed: of the matrix.

    Raises:
        InputError: for a fraction that is not in (0, 1], or a matrix that would be too large.

    Examples:
        >>> import keras_gahr as kg
        >>> kg.measurements.RandomBasis((8, 8, 1), 0.25).measured_shape
        (16,)
    """

    def __init__(self, shape: Sequence[int], fraction: float, seed: int = 0) -> None:
        shape = checked_shape(shape)
        size = math.prod(shape)
        columns = kept_count(fraction, size)
        if size * columns > _LARGEST:
            raise InputError(
                f"received images of {size} values and {columns} measurements, a basis of more than "
                f"{_LARGEST} numbers: choose a smaller fraction, or a random transform, which has no "
                "matrix"
            )
        matrix = np.random.default_rng(check_seed(seed)).standard_normal((size, columns))
        self._set_basis(shape, np.linalg.qr(matrix)[0])

    @classmethod
    def from_basis(cls, shape: Sequence[int], basis: np.ndarray) -> Self:
        """The measurement with given orthonormal columns.

        Args:
            shape: of one image, `(height, width, channels)`.
            basis: `(height * width * channels, columns)`, values in the order of `shape`.

        Raises:
            InputError: if the columns have another length or are not orthonormal (to 1e-4).
        """
        basis = np.asarray(array_of(basis), np.float64)
        if basis.ndim != 2 or len(basis) != math.prod(shape):
            raise InputError(
                f"received a basis of shape {basis.shape}, expected {math.prod(shape)} rows"
            )
        if np.abs(basis.T @ basis - np.eye(basis.shape[1])).max() > 1e-4:
            raise InputError("received a basis whose columns are not orthonormal")
        measurement = cls.__new__(cls)
        measurement._set_basis(shape, basis)
        return measurement

    def _set_basis(self, shape, basis):
        self.shape = tuple(shape)
        self.measured_shape = (basis.shape[1],)
        self._basis = ops.convert_to_tensor(basis.astype(np.float32))

    def measure(self, images: Any) -> Any:
        return ops.matmul(ops.reshape(images, (-1, math.prod(self.shape))), self._basis)

    def back_project(self, measured: Any) -> Any:
        images = ops.matmul(measured, ops.transpose(self._basis))
        return ops.reshape(images, (-1, *self.shape))
