"""Images in memory as functions take them, with all their axes and in units of [0, 1].

Unlike those of `image_arrays` they may have values that no picture has, such as samples and noisy images.
"""

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.errors import InputError

from .arrays import FINITE, NOISY, check_type, check_values, refuse_binary, to_float
from .image_arrays import array_of, check_images

_NO_IMAGE = (
    "received an array of shape {}, expected an image (height, width) or (height, width, channels)"
)


def pixel_values(values: ArrayLike, limits: tuple[float, float] | None = None) -> np.ndarray:
    """The values as float32: uint8 is divided by 255, and float32 is not copied.

    Args:
        values: see `array_of`, of any shape.
        limits: of floats, see `check_values`; by default they may be any, as where some have diverged.

    Raises:
        InputError: for other types, and values outside the limits.
    """
    array = array_of(values)
    if limits is None:
        check_type(array, "the array")
    else:
        check_values(array, "the array", limits)
    refuse_binary(array, "the array")
    return to_float(array) if array.dtype == np.uint8 else array.astype(np.float32, copy=False)


def exact_values(values: ArrayLike, limits: tuple[float, float] = FINITE) -> np.ndarray:
    """The values as float64, all finite; otherwise as `pixel_values`."""
    array = array_of(values)
    check_values(array, "the array", limits)
    refuse_binary(array, "the array")
    return array / 255 if array.dtype == np.uint8 else array.astype(np.float64)


def as_one_exact(image: ArrayLike) -> np.ndarray:
    """One image, or a vector of its shape, as float64: `(H, W)` or `(H, W, C)` as it is.

    Raises:
        InputError: as `pixel_values`, and for another shape or channels that come first.
    """
    values = exact_values(image)
    if values.ndim not in {2, 3}:
        raise InputError(_NO_IMAGE.format(values.shape))
    if values.ndim == 3 and values.shape[0] in {1, 3} and values.shape[2] > 4:
        raise InputError(
            f"the image has shape {values.shape}, channels first: pass np.moveaxis(image, 0, -1)"
        )
    return values


def as_stack(
    images: ArrayLike, channels: int | None = None, limits: tuple[float, float] | None = NOISY
) -> np.ndarray:
    """Images as `(N, H, W, C)`, a view of an array, whose values are checked.

    Args:
        images: `(N, H, W, C)`, or as for `find_layout`; uint8 in 0..255, bool or floats.
        channels: see `find_layout`; an array of four axes may have any number of channels.
        limits: of floats; see `check_values`. None for values that the caller checks.

    Raises:
        InputError: for another shape, one that does not say which axes these are, other types, and values
            outside the limits.
    """
    array = array_of(images)
    if array.ndim == 4 and not (array.shape[1] in {1, 3} and array.shape[3] > 4):
        channels = array.shape[3]
    return check_images(array, "the array", channels, limits=limits)[0]


def as_one(
    image: ArrayLike, channels: int | None = None, limits: tuple[float, float] = NOISY
) -> np.ndarray:
    """One image as float32 `(H, W, C)`, in units of [0, 1].

    Args:
        image: (H, W), (H, W, C), or a batch of one of these (1, H, W, C).
        channels, limits: see `as_stack`.

    Raises:
        InputError: for several images, or as `as_stack`.
    """
    array = array_of(image)
    if array.ndim not in {2, 3, 4}:
        raise InputError(_NO_IMAGE.format(array.shape))
    stack = as_stack(array, channels, limits)
    if len(stack) != 1:
        raise InputError(f"received {len(stack)} images, expected one: give one at a time")
    return (
        to_float(stack[0]) if stack.dtype == np.uint8 else stack[0].astype(np.float32, copy=False)
    )
