"""Images in `.npy` and `.npz` files and in memory."""

import os
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from keras_gahr.errors import InputError
from keras_gahr.names import reason_of

from .arrays import CLEAN, check_type, check_values, read_array, refuse_binary, to_float
from .layout import find_layout, to_images

ARRAYS = {".npy", ".npz"}
"""Suffixes of arrays, in lower case."""


def is_array(path: Path) -> bool:
    """Whether a file holds an array, by its suffix."""
    return path.suffix.lower() in ARRAYS


def open_array(
    path: str | PathLike,
    channels: int | None = None,
    layout: str | None = None,
    limits: tuple[float, float] = CLEAN,
) -> tuple[np.ndarray, str]:
    """The images in an array, whose values are checked.

    Args:
        path: a `.npy` file, or a `.npz` file with the array `images` or only one.
        channels, layout: see `find_layout`.
        limits: of floats: see `check_values`.

    Returns:
        `(N, H, W, C)`, uint8, bool or floats, of a `.npy` file a read-only memory map; and the layout
        of the file.

    Raises:
        InputError: if the file cannot be read, or holds something else than images.
    """
    return check_images(read_array(path), path, channels, layout, limits)


def as_images(
    array: ArrayLike,
    channels: int | None = None,
    layout: str | None = None,
    limits: tuple[float, float] = CLEAN,
) -> tuple[np.ndarray, str]:
    """Images in memory by the rule of those in files.

    Args:
        array: see `array_of`; uint8 in 0..255, bool, or floats.
        channels, layout, limits: see `open_array`.

    Returns:
        float32 `(N, H, W, C)` within the limits; and the layout of the array.

    Raises:
        InputError: for something else than images.
    """
    images, layout = check_images(array_of(array), "the array", channels, layout, limits)
    return to_float(images, limits), layout


def array_of(images: Any) -> np.ndarray:
    """Whatever NumPy makes an array of as an array, if nothing of its meaning is lost by that.

    Tensors of any framework too; of one that PyTorch would differentiate, its values.

    Raises:
        InputError: for paths, images of several sizes, masked arrays, pictures of Pillow whose values
            are not those of grey or red, green and blue, tensors without values, and objects.
    """
    if isinstance(images, str | os.PathLike):
        raise InputError(
            f"received the path {os.fspath(images)!r:.80}, expected images: `kg.datasets.read_image` reads "
            "one, `kg.datasets.load` several"
        )
    if isinstance(images, Image.Image) and images.mode not in {"1", "L", "RGB"}:
        raise InputError(
            f'received a picture of mode {images.mode}, expected L or RGB: pass picture.convert("RGB"), '
            "or its path, which is read with all its bits"
        )
    if np.ma.is_masked(images):
        raise InputError(
            "received a masked array, whose masked values are not known: pass array.filled(0), or leave "
            "those images out"
        )
    # Of a list NumPy would take what is hidden by masks, and indices of palettes.
    if isinstance(images, list | tuple) and any(hasattr(part, "shape") for part in images):
        images = [array_of(part) for part in images]
    try:
        array = np.asarray(_detached(images))
    except MemoryError:
        raise
    except Exception as error:  # Frameworks raise what they like.
        if "inhomogeneous" in str(error):
            raise InputError(
                "received a list of images of several sizes, expected one size: pass them one by one"
            ) from error
        raise InputError(
            f"received a {_named(images)}, of which NumPy cannot make an array "
            f"({reason_of(error):.120}): pass its values, as a NumPy array"
        ) from error
    if array.dtype == object:
        raise InputError(
            f"received a {_named(images)}, expected an array of numbers: uint8 in 0..255 or floats in [0, 1]"
        )
    if array.dtype.name == "bfloat16":
        return array.astype(np.float32)
    # Files of some instruments have their bytes the other way round, which no framework takes.
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _detached(images):
    """A tensor of PyTorch as NumPy takes it: without its graph, in the machine's memory."""
    if not hasattr(images, "detach"):
        return images
    images = images.detach().cpu()
    return images.float() if "bfloat16" in str(images.dtype) else images


def _named(images):
    kind = type(images)
    return (
        "list" if kind in {list, tuple} else f"{kind.__module__.partition('.')[0]} {kind.__name__}"
    )


def check_images(
    array: np.ndarray,
    name: str | PathLike,
    channels: int | None = None,
    layout: str | None = None,
    limits: tuple[float, float] | None = CLEAN,
) -> tuple[np.ndarray, str]:
    """A view of an array as images, and its layout; see `open_array`.

    Args:
        array: a NumPy array.
        name: what an error calls it.
        channels, layout, limits: see `open_array`; None for values that the caller checks.
    """
    layout = find_layout(array.shape, name, channels, layout)
    images = to_images(array, layout)
    if limits is None:
        check_type(images, name)
    else:
        check_values(images, name, limits)
    refuse_binary(images, name)
    return images, layout
