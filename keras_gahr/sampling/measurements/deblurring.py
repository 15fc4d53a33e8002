"""A blurred image is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.errors import InputError
from keras_gahr.noise import check_number

from .fourier import fourier, inverse_fourier
from .measurement import Measurement, checked_shape


def gaussian_kernel(sigma: float) -> np.ndarray:
    """A Gaussian of standard deviation `sigma` pixels with sum 1, cut off at four of them.

    Raises:
        InputError: for a sigma that is not above 0.

    Examples:
        >>> import keras_gahr as kg
        >>> kernel = kg.measurements.gaussian_kernel(1.0)
        >>> round(float(kernel.sum()), 6)
        1.0
    """
    if (sigma := check_number(sigma, "sigma")) <= 0:
        raise InputError(f"received a blur of {sigma} pixels, expected more than 0")
    half = math.ceil(4 * sigma)
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return np.outer(weights, weights) / weights.sum() ** 2


class Deblurring(Measurement):
    """An image blurred by a kernel is known, with cyclic boundaries.

    In the Fourier domain a blur multiplies by k = |k| e^(i phi). A measurement is the blurred image
    divided by |k| where |k| > threshold max |k|, and 0 at the other frequencies, which count as
    unknown. So M has orthonormal rows, and M^T m is the pseudo-inverse of the blur. Observed is the
    blurred image itself.

    Args:
        shape: of one image, `(height, width, channels)`.
        kernel: `(height, width)`, with the middle (row height // 2, column width // 2) as origin.
        threshold: relative to the largest |k|. Rounding of what is observed grows by at most 1 over
            this.

    Raises:
        InputError: for a kernel that is larger than the image, zero or not finite, or a threshold
            that is not in (0, 1).

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> kernel = kg.measurements.gaussian_kernel(1.0)
        >>> blur = kg.measurements.Deblurring((16, 16, 1), kernel)
        >>> blur(np.ones((16, 16))).shape
        (16, 16, 1)
    """

    gives_pictures = True

    def __init__(self, shape: Sequence[int], kernel: np.ndarray, threshold: float = 0.01) -> None:
        shape = checked_shape(shape)
        kernel = np.asarray(array_of(kernel), np.float64)
        if kernel.ndim != 2 or not np.all(np.isfinite(kernel)) or not kernel.any():
            raise InputError(
                f"received a blur of shape {kernel.shape}, expected finite numbers (height, width) "
                "that are not all zero"
            )
        if kernel.shape[0] > shape[0] or kernel.shape[1] > shape[1]:
            raise InputError(
                f"received a blur of {kernel.shape[0]}x{kernel.shape[1]} for images of "
                f"{shape[0]}x{shape[1]}: choose a smaller blur or larger images"
            )
        if not 0 < (threshold := check_number(threshold, "threshold")) < 1:
            raise InputError(f"received a threshold of {threshold:g}, expected 0 < threshold < 1")
        self.gain = max(1.0, float(np.abs(kernel).sum()))
        self.shape = self.measured_shape = tuple(shape)
        padded = np.zeros(shape[:2])
        padded[: kernel.shape[0], : kernel.shape[1]] = kernel
        spectrum = np.fft.fft2(np.roll(padded, [-(side // 2) for side in kernel.shape], (0, 1)))
        magnitude = np.abs(spectrum)
        # Rounding must not tell a frequency from its opposite, which has the same magnitude.
        magnitude = (magnitude + np.roll(magnitude[::-1, ::-1], 1, (0, 1))) / 2
        known = magnitude > threshold * magnitude.max()
        size = np.where(known, magnitude, 1)
        self._phase = _tensors(np.where(known, spectrum / size, 0))
        self._blur = _tensors(spectrum)
        self._sharpening = _tensors(np.where(known, 1 / size, 0))

    def measure(self, images: Any) -> Any:
        return _multiply(images, self._phase)

    def back_project(self, measured: Any) -> Any:
        real, imaginary = self._phase
        return _multiply(measured, (real, -imaginary))

    def observe(self, images: Any) -> Any:
        return _multiply(images, self._blur)

    def measured_from(self, observed: Any) -> Any:
        return _multiply(observed, self._sharpening)


def _tensors(spectrum):
    """Real and imaginary parts of an array (height, width) as tensors (height, width, 1)."""
    parts = (np.real(spectrum), np.imag(spectrum))
    return tuple(ops.convert_to_tensor(part[..., None].astype(np.float32)) for part in parts)


def _multiply(images, factors):
    """Multiplies images by complex factors in the Fourier domain."""
    (real, imaginary), (a, b) = fourier(images), factors
    return inverse_fourier(a * real - b * imaginary, a * imaginary + b * real)
