"""Images in memory as functions take them, with all their axes and in units of [0, 1].

Unlike those of `image_arrays` they may have values that no picture has, such as samples and noisy images.
"""

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.errors import InputError

from .arrays import to_float
from .image_arrays import array_of
from .layout import find_layout, to_images


def pixel_values(values: ArrayLike) -> np.ndarray:
    """The values as float32: uint8 is divided by 255, and float32 is not copied."""
    values = array_of(values)
    return to_float(values) if values.dtype == np.uint8 else values.astype(np.float32, copy=False)


def as_stack(images: ArrayLike, channels: int | None = None) -> np.ndarray:
    """Images as `(N, H, W, C)`, a view of an array.

    Args:
        images: `(N, H, W, C)`, or as for `find_layout`; values of any kind.
        channels: see `find_layout`.

    Raises:
        InputError: for another shape, or one that does not say which axes these are.
    """
    array = array_of(images)
    if array.ndim == 4:
        return array
    return to_images(array, find_layout(array.shape, "the array", channels))


def as_one(image: ArrayLike) -> np.ndarray:
    """One image as float32 `(H, W, C)`, in units of [0, 1].

    Args:
        image: (H, W), (H, W, C), or a batch of one of these (1, H, W, C).

    Raises:
        InputError: for several images, or another shape.
    """
    array = pixel_values(image)
    if array.ndim == 2:
        return array[..., None]
    if array.ndim == 4:
        if len(array) != 1:
            raise InputError(f"received {len(array)} images, expected one: give one at a time")
        return array[0]
    if array.ndim != 3:
        raise InputError(
            f"received an array of shape {array.shape}, expected an image (height, width) or (height, "
            "width, channels)"
        )
    return array
