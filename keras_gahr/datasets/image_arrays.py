"""Images in `.npy` and `.npz` files."""

from .arrays import CLEAN, check_values, read_array, refuse_binary
from .layout import find_layout, to_images

ARRAYS = {".npy", ".npz"}
"""Suffixes of arrays, in lower case."""


def is_array(path):
    """Whether a file holds an array, by its suffix."""
    return path.suffix.lower() in ARRAYS


def open_array(path, channels=None, layout=None, limits=CLEAN):
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
    array = read_array(path)
    layout = find_layout(array.shape, path, channels, layout)
    images = to_images(array, layout)
    check_values(images, path, limits)
    refuse_binary(images, path)
    return images, layout
