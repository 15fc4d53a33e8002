"""Square patches of images."""

from os import PathLike

import numpy as np

from keras_gahr.errors import InputError


def check_patches(patch: int | None, stride: int | None) -> None:
    """Refuses sizes that make no patches; None is one that was not given.

    Raises:
        InputError: if one is below 1, or there is a stride without a patch.
    """
    if stride is not None and patch is None:
        raise InputError("received a stride without a patch: give the patch's size too")
    for name, value in (("patch", patch), ("stride", stride)):
        if value is not None and value < 1:
            raise InputError(f"the {name} is {value}: expected 1 pixel or more")


def cut_patches(image: np.ndarray, patch: int, stride: int, name: str | PathLike) -> np.ndarray:
    """All patches of an image, row by row from the top left.

    A view, as patches that overlap would take more memory than the image.

    Args:
        image: (H, W, C).
        patch: height and width of a patch.
        stride: from one patch to the next.
        name: of the image, for the error.

    Returns:
        (rows, columns, patch, patch, C), of the image's type.

    Raises:
        InputError: if the image is smaller than a patch.
    """
    height, width = image.shape[:2]
    if min(height, width) < patch:
        raise InputError(
            f"{name} is {height} x {width} (height x width): smaller than a patch of {patch} pixels"
        )
    windows = np.lib.stride_tricks.sliding_window_view(image, (patch, patch), axis=(0, 1))
    return np.moveaxis(windows[::stride, ::stride], 2, -1)
