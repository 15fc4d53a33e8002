"""Arrays of what was observed of images."""

from keras_gahr.datasets.arrays import NOISY, check_values, read_array, refuse_binary, to_float
from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.datasets.layout import find_layout, to_images
from keras_gahr.errors import InputError

OBSERVED = (-1e6, 1e6)
"""Limits of what is observed of images but is no picture, which depend on the measurement."""


def open_observed(path, measurement_of, layout=None):
    """What was observed of images, `(N, *measured_shape)`.

    Args:
        path: an array `measured_shape` or `(N, *measured_shape)`, where a last axis of 1 may be left
            out; uint8, bool or finite floats.
        measurement_of: a function from the shape of what was observed of one image, as far as the
            array shows it, to the `Measurement`.
        layout: of pictures, such as "NCHW"; by default channels come last.

    Raises:
        InputError: if it is another one.
    """
    array = read_array(path)
    if layout is not None:
        array = to_images(array, find_layout(array.shape, path, layout=layout))
    observed, _ = _of_images(array, path, measurement_of)
    return observed


def as_observed(array, measurement_of):
    """What was observed of images, in memory, by the rule of that in files.

    Args:
        array: whatever NumPy makes an array of, as in the file for `open_observed`.
        measurement_of: as there.

    Returns:
        float32 `(N, *measured_shape)`, the `Measurement`, and whether the array has an axis N.

    Raises:
        InputError: if it is another one.
    """
    array = array_of(array)
    observed, measurement = _of_images(array, "what was observed", measurement_of)
    one = measurement.measured_shape in {array.shape, (*array.shape, 1)}
    return to_float(observed, None), measurement, not one


def _of_images(array, name, measurement_of):
    """The array as `(N, *measured_shape)`, once its values are checked, and the measurement."""
    check_values(array, name, OBSERVED)
    refuse_binary(array, name)
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
            if measurement.gives_pictures:
                check_values(array, name, tuple(measurement.gain * limit for limit in NOISY))
            return found, measurement
        error = error or InputError(
            f"{name} has shape {array.shape}: of images of shape {measurement.shape} would be "
            f"observed {measurement.measured_shape}; give their size (--size) if they have another"
        )
    if array.ndim == 4 and array.shape[1] in {1, 3} and array.shape[3] not in {1, 3}:
        find_layout(array.shape, name)  # Which says how to read channels that come first.
    raise error or InputError(f"{name} has shape {array.shape}: expected one axis or more")


def _with_leading_axis(array, shape):
    """The array as `(N, *shape)`, or None if it does not fit."""
    if len(shape) == 3 and shape[-1] == 1 and array.shape[-2:] == shape[:2]:
        array = array[..., None]
    if array.shape == shape:
        return array[None]
    return array if array.shape[1:] == shape else None
