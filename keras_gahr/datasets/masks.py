"""Masks in files: which pixels are known."""

from os import PathLike
from pathlib import Path

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.files import check_regular

from .arrays import read_array
from .decoding import decode_picture


def read_mask(path: str | PathLike) -> np.ndarray:
    """The mask in a file, bool (H, W): True where it is white, 1 or opaque.

    Whether white is written as 1, 255, 65535, 1.0 or True, values up to a quarter of the largest are
    black and those from three quarters of it are white, as JPEG leaves them.

    Args:
        path: a `.npy` or `.npz` array (H, W), or with one channel or three that are equal, last or
            first; or a picture that is grey or has equal red, green and blue. Of a picture of one
            colour the transparency is the mask.

    Raises:
        InputError: if the file cannot be read, is neither black nor white somewhere, is coloured, or
            is the same everywhere.
    """
    path = Path(path)
    if path.suffix.lower() in {".npy", ".npz"}:
        return _two_levels(_one_channel(read_array(path), path), path)
    check_regular(path, "a mask")
    decoded = decode_picture(path.read_bytes(), path)
    color, alpha = decoded.color, decoded.alpha
    if alpha is None or _is_constant(alpha):
        return _two_levels(_one_channel(color, path), path)
    if all(_is_constant(channel) for channel in np.moveaxis(color, -1, 0)):
        return _two_levels(alpha, path)
    # What is transparent is often left black too.
    opaque = _two_levels(alpha, path)
    if not np.array_equal(opaque, _two_levels(_one_channel(color, path), path)):
        raise InputError(
            f"{path} has one mask in its colours and another in its transparency: keep one"
        )
    return opaque


def _one_channel(values, path):
    """(H, W) of a mask with or without channels."""
    if values.ndim == 2:
        return values
    first, last = (values.ndim == 3 and values.shape[axis] in {1, 3} for axis in (0, -1))
    if not first and not last:
        raise InputError(f"{path} has shape {values.shape}: expected a mask (height, width)")
    values = values if last else np.moveaxis(values, 0, -1)
    if not np.array_equal(values, np.broadcast_to(values[..., :1], values.shape)):
        raise InputError(f"{path} is coloured: expected a mask of black and white")
    return values[..., 0]


def _two_levels(values, path):
    if values.dtype.kind not in "buif" or not values.size:
        raise InputError(
            f"{path} holds {values.dtype} of shape {values.shape}: expected a mask of 0 and 1"
        )
    low, high = values.min(), values.max()
    # NaN fails every comparison.
    if not (low >= 0 and high < np.inf):
        raise InputError(f"{path} holds values from {low} to {high}: expected a mask of 0 and 1")
    if not high:
        raise InputError(f"{path} is black everywhere, so that nothing is known: white is known")
    known = values >= 0.75 * float(high)
    if known.all():
        raise InputError(
            f"{path} is white everywhere, so that nothing is unknown: make what is unknown black"
        )
    between = np.count_nonzero(~known & (values > 0.25 * float(high)))
    if between:
        raise InputError(
            f"{path} has {between} pixels that are neither black nor white, expected a mask: round it"
        )
    return known


def _is_constant(values):
    return values.min() == values.max()
