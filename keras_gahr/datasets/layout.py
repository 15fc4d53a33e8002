"""The axes of an array of images, as letters: N images, H rows, W columns, C channels.

"NHWC" is how this package holds images, "NCHW" how PyTorch does, "HW" is one grey image.
"""

from os import PathLike

import numpy as np

from keras_gahr.errors import InputError

AXES = "NHWC"

_ALPHA = {2: 1, 4: 3}
"""Channels with one of opacity, and how many there are without it."""


def find_layout(
    shape: tuple[int, ...],
    name: str | PathLike,
    channels: int | None = None,
    layout: str | None = None,
) -> str:
    """The letters of an array's axes.

    Without a layout, (H, W), (H, W, C), (N, H, W) and (N, H, W, C) are told apart by C, which is 1, 3
    or `channels`. What could as well be another one is refused.

    Args:
        shape: of the array.
        name: what an error calls it, such as its path.
        channels: of the denoiser that the images are for; None if there is none.
        layout: what the user says, such as "NCHW"; H and W, and N and C if there are such axes.

    Raises:
        InputError: if the shape cannot be that of images, or does not say which.
    """
    if not isinstance(layout, str | None):
        raise InputError(f"received layout {layout!r:.40}, expected letters such as NCHW")
    allowed = {1, 3, channels} - {None}
    if 0 in shape:
        raise InputError(f"{name} is empty (shape {shape}): expected at least one image")
    letters = _guess(shape, name, channels, allowed) if layout is None else layout.upper()
    if layout is not None:
        _check(letters, shape, name)
    count = shape[letters.index("C")] if "C" in letters else 1
    if count not in allowed:
        raise InputError(f"{name} has shape {shape}{_mend(count, letters)}")
    return letters


def to_images(array: np.ndarray, layout: str) -> np.ndarray:
    """A view of the array as `(N, H, W, C)`, which needs no memory of its own."""
    array = array.transpose([layout.index(axis) for axis in AXES if axis in layout])
    array = array if "N" in layout else array[None]
    return array if "C" in layout else array[..., None]


def from_images(images: np.ndarray, layout: str) -> np.ndarray:
    """The inverse of `to_images`: a view of images `(N, H, W, C)` with the axes of the layout.

    An axis that the layout lacks must be 1 long.
    """
    kept = [axis for axis in AXES if axis in layout]
    missing = tuple(index for index, axis in enumerate(AXES) if axis not in layout)
    return images.squeeze(missing).transpose([kept.index(axis) for axis in layout])


def _guess(shape, name, channels, allowed):
    if len(shape) == 2:
        return "HW"
    # Images are seldom 2 or 4 pixels wide, but then they are not much higher.
    if len(shape) == 3 and (shape[-1] in allowed or (shape[-1] in _ALPHA and shape[1] > 4)):
        return "HWC"
    if len(shape) == 3:
        # Of a denoiser of grey images, three images are likelier than one in colour.
        if shape[0] in {3, 4} and channels != 1:
            raise InputError(
                f"{name} has shape {shape}: {shape[0]} grey images, or one image with its channels "
                "first? pass layout NHW or CHW (--layout)"
            )
        return "NHW"
    if len(shape) != 4:
        raise InputError(
            f"{name} has shape {shape}: expected (H, W), (H, W, C), (N, H, W) or (N, H, W, C)"
        )
    if shape[-1] not in allowed and shape[1] in {*allowed, *_ALPHA}:
        raise InputError(
            f"{name} has shape {shape}, channels first: pass layout NCHW (--layout), or "
            "np.moveaxis(array, 1, -1)"
        )
    return AXES


def _check(letters, shape, name):
    """Raises `InputError` for a layout that is none, or that the shape does not have."""
    if len({*letters}) != len(letters) or not {*"HW"} <= {*letters} <= {*AXES}:
        raise InputError(
            f"received layout {letters!r}, expected the letters H and W, with N and C where there are "
            "such axes: HW, HWC, CHW, NHW, NHWC, NCHW"
        )
    if len(letters) != len(shape):
        raise InputError(
            f"{name} has shape {shape}: layout {letters} would have {len(letters)} axes"
        )


def _mend(count, letters):
    """What an error says of a number of channels that images do not have."""
    if count in _ALPHA:
        place = f"[{', '.join(f':{_ALPHA[count]}' if axis == 'C' else ':' for axis in letters)}]"
        return (
            f": {count} channels, of which one seems to be opacity: drop it, array{place}; or pass "
            "layout NHW (--layout) if there are no channels"
        )
    return (
        ": expected (H, W), (H, W, C), (N, H, W) or (N, H, W, C), C = 1 or 3; pass a layout such as NCHW "
        "(--layout) if it has its axes in another order"
    )
