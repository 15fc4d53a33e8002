"""A rectangle of the image is unknown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole

from .known_pixels import KnownPixels
from .measurement import checked_shape


class Inpainting(KnownPixels):
    """A rectangle is unknown, given by its size and its centre, as in the published code.

    It begins at row `centre - height // 2`, and likewise for columns.

    Args:
        shape: of one image, `(height, width, channels)`.
        hole: `(height, width)` of the rectangle.
        centre: `(row, column)` of its middle; by default the image's.

    Raises:
        InputError: if the rectangle is empty or leaves the image.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> hole = kg.measurements.Inpainting((8, 8, 1), (4, 4))
        >>> float(hole(np.ones((8, 8))).sum())
        48.0
    """

    def __init__(
        self, shape: Sequence[int], hole: tuple[int, int], centre: tuple[int, int] | None = None
    ) -> None:
        shape = checked_shape(shape)
        hole = _pair(hole, "a hole")
        if centre is None:
            centre = shape[0] // 2, shape[1] // 2
        centre = _pair(centre, "a centre")
        top, left = (middle - side // 2 for middle, side in zip(centre, hole, strict=True))
        bottom, right = top + hole[0], left + hole[1]
        if min(hole) < 1 or min(top, left) < 0 or bottom > shape[0] or right > shape[1]:
            raise InputError(
                f"received a hole of {hole[0]}x{hole[1]} centred at row {centre[0]}, column "
                f"{centre[1]}, which does not lie in an image of {shape[0]}x{shape[1]}: choose a "
                "smaller one or another centre"
            )
        mask = np.ones(shape[:2], np.float32)
        mask[top:bottom, left:right] = 0
        super().__init__(mask, shape[2])


def _pair(given, name):
    """Two whole numbers; which of them fit is seen from the image."""
    if isinstance(given, str) or np.shape(given) != (2,):
        raise InputError(f"received {name} {given!r:.80}, expected two whole numbers")
    first, second = (check_whole(number, f"in {name}", -(2**31)) for number in given)
    return first, second
