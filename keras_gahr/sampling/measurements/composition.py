"""One measurement of what another measured."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from keras import ops

from keras_gahr.errors import InputError

from .measurement import Measurement

_ROUNDING = 1e-4


def compose(*measurements: Measurement) -> Measurement:
    """The measurement that applies several, the first to images and each next to the one before.

    Raises:
        InputError: see `Composition`.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> grey = kg.measurements.Grey((8, 8, 3))
        >>> means = kg.measurements.SuperResolution((8, 8, 1), 4)
        >>> known = kg.measurements.inpainting([[True, False], [True, True]])
        >>> kg.measurements.compose(grey, means, known)(np.ones((8, 8, 3)))[..., 0]
        array([[1., 0.],
               [1., 1.]], dtype=float32)
    """
    return functools.reduce(Composition, measurements)


class Composition(Measurement):
    """Measures by `second` what `first` measured: M = M2 M1.

    The rows of M are orthonormal only if M2 does not mix what M1 knows with what it does not. So
    `Grey`, then `SuperResolution`, then `KnownPixels` is fine, but means of blocks that are only
    partly known are not.

    Args:
        first: a `Measurement` of images, whose measurements are images to the other.
        second: a `Measurement` of these.

    Raises:
        InputError: if the shapes do not fit, or the rows would not be orthonormal.

    Examples:
        >>> import keras_gahr as kg
        >>> grey = kg.measurements.Grey((8, 8, 3))
        >>> means = kg.measurements.SuperResolution((8, 8, 1), 4)
        >>> both = kg.measurements.Composition(grey, means)
        >>> both.shape, both.measured_shape
        ((8, 8, 3), (2, 2, 1))
    """

    def __init__(self, first: Measurement, second: Measurement) -> None:
        names = f"{type(first).__name__} and then {type(second).__name__}"
        if first.measured_shape != second.shape:
            raise InputError(
                f"received {names}, which do not fit: the first gives shape "
                f"{first.measured_shape}, the second takes {second.shape}"
            )
        self.first, self.second = first, second
        self.shape, self.measured_shape = first.shape, second.measured_shape
        self.gives_pictures = first.gives_pictures and second.gives_pictures
        self.gain = first.gain * second.gain
        self._check(names)

    def measure(self, images: Any) -> Any:
        return self.second.measure(self.first.measure(images))

    def back_project(self, measured: Any) -> Any:
        return self.first.back_project(self.second.back_project(measured))

    def project(self, images: Any) -> Any:
        known = self.second.project(self.first.measure(images))
        return self.first.back_project(known)

    def observe(self, images: Any) -> Any:
        return self.second.observe(self.first.observe(images))

    def measured_from(self, observed: Any) -> Any:
        # The first's units, seen through the second.
        between = self.second.back_project(self.second.measured_from(observed))
        return self.second.measure(self.first.measured_from(between))

    def _check(self, names):
        """Tries on one random image whether P P = P, and whether what is observed says what M x is."""
        image = np.random.default_rng(0).standard_normal((1, *self.shape))
        image = ops.convert_to_tensor(image.astype(np.float32))
        once = self.project(image)
        measured = self.measure(image)
        again = self.measured_from(self.observe(image))
        for found, expected in ((self.project(once), once), (again, measured)):
            difference, norm = (
                float(np.linalg.norm(ops.convert_to_numpy(x))) for x in (found - expected, expected)
            )
            if difference > _ROUNDING * max(norm, 1):
                raise InputError(
                    f"received {names}, which would mix known and unknown values: exchange them"
                )
