"""Arrays in files, with a leading axis for images."""

import numpy as np

from keras_gahr.datasets.arrays import check_values, read_array
from keras_gahr.errors import InputError

_LARGEST = 1e6


def open_images(path):
    """Images `(N, H, W, C)` from an array `(H, W)`, `(H, W, C)`, `(N, H, W)` or `(N, H, W, C)`.

    Raises:
        InputError: if it is another one, or leaves [0, 1].
    """
    array = read_array(path)
    if array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in {1, 3}):
        array = array[None]
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in {1, 3}:
        raise InputError(
            f"{path} has shape {array.shape}: expected (H, W), (H, W, C), (N, H, W) or "
            "(N, H, W, C), C = 1 or 3"
        )
    check_values(array, path)
    return array


def open_observed(path, measurement_of):
    """What was observed of images, `(N, *measured_shape)`.

    Args:
        path: an array `measured_shape` or `(N, *measured_shape)`, where a last axis of 1 may be left
            out; uint8, or finite floats.
        measurement_of: a function from the shape of what was observed of one image, as far as the
            array shows it, to the `Measurement`.

    Raises:
        InputError: if it is another one.
    """
    array = read_array(path)
    if array.size == 0 or not (array.dtype == np.uint8 or array.dtype.kind == "f"):
        raise InputError(
            f"{path} has type {array.dtype} and shape {array.shape}: expected uint8 or floats"
        )
    # Compared with a bound that float32 can hold; NaN fails every comparison.
    if array.dtype.kind == "f" and not np.all(np.abs(array) < _LARGEST):
        raise InputError(
            f"{path} holds NaN or numbers beyond {_LARGEST:.0e}: expected measurements"
        )
    error = None
    # (H, W, C) cannot be told from (N, H, W) but by which of them fits.
    for shape in (array.shape, array.shape[1:]):
        if not shape or len(shape) > 3:
            continue
        try:
            measurement = measurement_of(shape)
        except InputError as unfit:
            error = error or unfit
            continue
        found = _with_leading_axis(array, measurement.measured_shape)
        if found is not None:
            return found
        error = error or InputError(
            f"{path} has shape {array.shape}: of images of shape {measurement.shape} would be "
            f"observed {measurement.measured_shape}; pass --size if they have another"
        )
    raise error or InputError(f"{path} has shape {array.shape}: expected one axis or more")


def _with_leading_axis(array, shape):
    """The array as `(N, *shape)`, or None if it does not fit."""
    if len(shape) == 3 and shape[-1] == 1 and array.shape[-2:] == shape[:2]:
        array = array[..., None]
    if array.shape == shape:
        return array[None]
    return array if array.shape[1:] == shape else None
