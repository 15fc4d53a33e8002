"""The low frequencies of an image are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.errors import InputError

from .fourier import fourier, inverse_fourier
from .measurement import Measurement, checked_shape
from .subset import check_fraction


def low_frequencies(shape: Sequence[int], fraction: float, published: bool = False) -> np.ndarray:
    """A mask of the low frequencies along both axes, about a fraction of all of them.

    Args:
        shape: of one image, `(height, width, channels)`.
        fraction: of the coefficients.
        published: whether to keep frequencies -k to k - 1 as the published code does, instead of -k
            to k. Without its opposite, frequency -k is not known of a real image, and P = M^T M is
            no projection.

    Returns:
        A float32 array `(height, width)` of zeros and ones, frequency 0 first.

    Raises:
        InputError: for a fraction that is not in (0, 1].

    Examples:
        >>> import keras_gahr as kg
        >>> kg.measurements.low_frequencies((8, 8, 1), 0.3).shape
        (8, 8)
    """
    check_fraction(fraction)
    kept = []
    for side in checked_shape(shape)[:2]:
        # Half the kept frequencies, as the published code rounds it.
        half = int(round(side * np.sqrt(fraction)) / 2)
        frequency = np.fft.fftfreq(side, 1 / side)
        kept.append((frequency >= -half) & (frequency < half + (not published)))
    return np.outer(*kept).astype(np.float32)


class SpectralSuperResolution(Measurement):
    """Some coefficients of the discrete Fourier transform are known.

    A measurement holds the real parts and, in further channels, the imaginary parts of the
    orthonormal transform, with 0 where it is unknown: `(height, width, 2 * channels)`.

    Args:
        shape: of one image, `(height, width, channels)`.
        mask: `(height, width)`, 1 where a coefficient is known, else 0, such as `low_frequencies`
            gives; with one that lacks opposite frequencies P is not quite a projection.

    Raises:
        InputError: for a mask of another shape or with other values.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> mask = kg.measurements.low_frequencies((8, 8, 1), 0.3)
        >>> low = kg.measurements.SpectralSuperResolution((8, 8, 1), mask)
        >>> spectrum = low(np.ones((8, 8)))
        >>> spectrum.shape, float(spectrum[0, 0, 0])  # The mean, times the root of the pixels.
        ((8, 8, 2), 8.0)
    """

    def __init__(self, shape: Sequence[int], mask: np.ndarray) -> None:
        shape = checked_shape(shape)
        mask = np.asarray(array_of(mask), np.float32)
        if mask.shape != tuple(shape[:2]) or not np.all((mask == 0) | (mask == 1)):
            raise InputError(
                f"received a mask of shape {mask.shape}, expected zeros and ones of shape "
                f"{tuple(shape[:2])}"
            )
        self.shape = tuple(shape)
        self.measured_shape = (*shape[:2], 2 * shape[2])
        self._mask = ops.convert_to_tensor(mask[..., None])

    def measure(self, images: Any) -> Any:
        return ops.concatenate([self._mask * part for part in fourier(images)], axis=-1)

    def back_project(self, measured: Any) -> Any:
        channels = self.shape[2]
        known = self._mask * measured
        return inverse_fourier(known[..., :channels], known[..., channels:])
