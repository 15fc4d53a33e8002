"""Pixels known at random places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_gahr.noise import check_seed

from .known_pixels import KnownPixels
from .measurement import checked_shape
from .subset import random_subset


class RandomPixels(KnownPixels):
    """A random subset of the pixels is known, each with all its channels.

    Args:
        shape: of one image, `(height, width, channels)`.
        fraction: of the pixels that is known, rounded down to a whole number of pixels.
        seed: of the subset.

    Raises:
        InputError: for a fraction that is not in (0, 1].

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> some = kg.measurements.RandomPixels((8, 8, 1), 0.25)
        >>> float(some(np.ones((8, 8))).sum())
        16.0
    """

    def __init__(self, shape: Sequence[int], fraction: float, seed: int = 0) -> None:
        shape = checked_shape(shape)
        mask = np.zeros(shape[:2], np.float32)
        mask.flat[random_subset(fraction, mask.size, np.random.default_rng(check_seed(seed)))] = 1
        super().__init__(mask, shape[2])
