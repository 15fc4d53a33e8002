"""A part of an image."""

from os import PathLike
from typing import Any

import numpy as np

from keras_gahr.errors import InputError


def cropped(
    image: np.ndarray, crop: tuple[int, ...] | str | None, name: str | PathLike
) -> np.ndarray:
    """A view of a part of an image.

    Args:
        image: (H, W, C).
        crop: "square", the largest one in the middle; (height, width) of a box in the middle, half a pixel
            up and left where it must be; (height, width, top, left); or None for the whole.
        name: what an error calls the image.

    Raises:
        InputError: if it does not fit.
    """
    if crop is None:
        return image
    rows, columns = image.shape[:2]
    box: Any = (min(rows, columns),) * 2 if crop == "square" else crop
    height, width, *corner = box
    top, left = corner or ((rows - height) // 2, (columns - width) // 2)
    fits = min(top, left) >= 0 and top + height <= rows and left + width <= columns
    if min(height, width) < 1 or not fits:
        raise InputError(
            f"{name} is {rows} x {columns} (height x width): the crop of {height} x {width} does not fit; "
            "choose a smaller one"
        )
    return image[top : top + height, left : left + width]
