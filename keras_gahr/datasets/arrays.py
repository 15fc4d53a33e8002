"""Arrays of pixel values in `.npy` and `.npz` files, and their checks."""

import hashlib
import math
import mmap
import os
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.impostors import impostor
from keras_gahr.names import reason_of

from .npy_header import MAGIC, START, check_header, check_member

# Values this far outside [0, 1] are rounding; anything farther is another unit.
ROUNDING = 1e-6

CLEAN = (0, 1)
"""Limits of images."""

NEARLY_CLEAN = (-0.5, 2)
"""Limits of images in memory that may leave [0, 1] by a little, but are of no other unit."""

NOISY = (-9, 10)
"""Limits of images with noise up to sigma = 1: of 10^18 normal numbers, one is beyond 9 sigma."""

STARTS = (-18, 19)
"""Limits of what a sampler may start from: images with noise up to sigma = 2."""

FINITE = (-float(np.finfo(np.float32).max), float(np.finfo(np.float32).max))
"""Limits of all that float32 holds, as images with any noise."""

BLOCK_BYTES = 2**23

_PICKED = 32
"""Images here and there in a memory map that are read at once: with each, up to a megabyte of what lies
around it may become this process's."""

_BYTE_ROUNDING = 1e-4
"""Of float32, in units of 1/255."""


def read_array(path: str | PathLike) -> np.ndarray:
    """The array in a `.npy` file, as a read-only memory map, or in a `.npz` file, in memory.

    Of a `.npz` file it takes the array called `images`, or the only one. Nothing is unpickled.

    Raises:
        InputError: if the file is missing, damaged or of another kind, or holds several arrays and
            none called `images`.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is not a file: give a .npy or .npz file")
    if path.suffix.lower() not in {".npy", ".npz"}:
        raise InputError(f"{path} is not an array: expected a .npy or .npz file")
    try:
        with path.open("rb") as file:
            start = file.read(START)
            if start.startswith(MAGIC):
                check_header(start, os.fstat(file.fileno()).st_size)
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            names = loaded.files
            if "images" not in names and len(names) != 1:
                listed = ", ".join(names) or "none"
                raise InputError(
                    f"{path} holds the arrays {listed}: name the one to use 'images', or keep one"
                )
            name = "images" if "images" in names else names[0]
            check_member(loaded.zip, name)
            return loaded[name]
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # NumPy raises whatever the damaged part happened to cause.
        reason = reason_of(error)
        if "allow_pickle" in reason or "Python objects" in reason:
            reason = "it holds Python objects; save numbers, as uint8 or floats"
        raise impostor(path, "an array", {"array", "zip"}) or InputError(
            f"{path} cannot be read as an array: {reason}"
        ) from error


def blocks(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yields the array in order, in parts of about 8 MiB along its first axis.

    Of a memory map, no more than one part stays in memory: use a part before taking the next.
    """
    rows = max(1, BLOCK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        release(array)


def are_bytes(images: np.ndarray) -> bool:
    """Whether all values are of 0, 1/255, ..., 1, to the rounding of float32; read in blocks."""
    return images.dtype == np.uint8 or all(_in_bytes(block) is not None for block in blocks(images))


def as_bytes(images: np.ndarray) -> np.ndarray:
    """Images in bytes, which take less room, if `are_bytes` holds; else as they are."""
    if images.dtype == np.uint8:
        return images
    found = []
    for block in blocks(images):
        values = _in_bytes(block)
        if values is None:
            return images
        found.append(values)
    return np.concatenate(found)


def _in_bytes(block):
    """Values in bytes, or None if they are none."""
    values = 255 * np.asarray(block, np.float64)
    whole = np.clip(np.round(values), 0, 255)
    return None if np.abs(values - whole).max() > _BYTE_ROUNDING else whole.astype(np.uint8)


def sha256_of(*parts: Any) -> str:
    """SHA-256 of arrays, their shapes and types, and of other values by their repr, in hexadecimal."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(repr((part.shape, name_of_type(part.dtype))).encode())
            digest.update(bytes_of(part))
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()


def bytes_of(array: np.ndarray) -> memoryview:
    """The bytes of an array one after the other, of any number type.

    NumPy gives no buffer of those that it does not know itself, such as bfloat16.
    """
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def name_of_type(dtype: np.dtype) -> str:
    """What tells a number type from others: NumPy's code of its own, the names of others."""
    try:
        own = np.dtype(dtype.str) == dtype
    except TypeError:  # Such as that of some numbers of eight bits.
        own = False
    return dtype.str if own else dtype.name


def some_places(count: int, most: int, seed: int) -> np.ndarray:
    """The places of some images of a set, ascending.

    Not the first ones: images may lie in an order, such as by class.
    """
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])


def spread_places(count: int, most: int) -> np.ndarray:
    """The places of some images of a set, ascending and evenly spread over it."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(int)


def take(images: np.ndarray, index: Any, limits: tuple[float, float] | None = CLEAN) -> np.ndarray:
    """The images at `index` (whatever indexes an array) as float32 in [0, 1], in memory.

    Of a memory map, nothing else stays in memory, and little else is there meanwhile. For limits see
    `to_float`.
    """
    places = np.asarray(index) if isinstance(index, list | np.ndarray) else np.empty(0)
    if places.ndim != 1 or places.dtype.kind not in "iu" or len(places) <= _PICKED:
        values = to_float(np.asarray(images[index]), limits)
        release(images)
        return values
    values = np.empty((len(places), *images.shape[1:]), np.float32)
    for start in range(0, len(places), _PICKED):
        part = slice(start, start + _PICKED)
        values[part] = take(images, places[part], limits)
    return values


def release(array: np.ndarray) -> None:
    """Lets go of the pages of a memory map that were read; they would count as this process's.

    They are read again when needed, usually from the system's cache. Arrays other than read-only
    maps, and systems without `madvise`, are left alone.
    """
    while isinstance(array, np.ndarray) and isinstance(array.base, np.ndarray):
        array = array.base
    # Of a map that can be written to, this would throw the changes away.
    if isinstance(array, np.memmap) and array.mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
        memory: Any = array.base
        memory.madvise(mmap.MADV_DONTNEED)


def check_values(
    array: np.ndarray, name: str | PathLike, limits: tuple[float, float] = CLEAN
) -> None:
    """Refuses an array that does not hold pixel values; reads it in blocks.

    Args:
        array: any shape; uint8 in 0..255, bool, or floats within the limits.
        name: what the error calls it, such as its path.
        limits: of floats: `CLEAN`, `NOISY`, or those of wavelet bands.

    Raises:
        InputError: if it is empty, has another type, holds NaN, or leaves the limits by more than
            rounding (1e-6).
    """
    check_type(array, name)
    if array.dtype in (np.uint8, bool):
        return
    low, high = value_range(array)
    if math.isnan(low):
        raise InputError(
            f"{name} holds NaN: expected numbers; remove the images that are not finite"
        )
    if math.isinf(low) or math.isinf(high):
        raise InputError(
            f"{name} holds values from {low:.4g} to {high:.4g}: expected numbers; remove the images that "
            "are not finite"
        )
    if low < limits[0] - ROUNDING or high > limits[1] + ROUNDING:
        raise InputError(
            f"{name} holds values from {low:.4g} to {high:.4g}: expected "
            f"[{limits[0]:g}, {limits[1]:g}]; {_mend(low, high)}"
        )


def check_type(array: np.ndarray, name: str | PathLike) -> None:
    """Raises `InputError` for an array that is empty, or of another type than uint8, bool and floats."""
    if array.size == 0:
        raise InputError(f"{name} is empty (shape {array.shape}): expected at least one image")
    if array.dtype not in (np.uint8, bool) and array.dtype.kind != "f":
        raise InputError(
            f"{name} has type {array.dtype}: expected uint8 in 0..255 or floats in [0, 1]; save 0..255 "
            "as uint8, divide 0..65535 by 65535"
        )


def value_range(array: np.ndarray) -> tuple[float, float]:
    """The least and the greatest value of an array as numbers of Python; both NaN if one is."""
    ranges = [(float(block.min()), float(block.max())) for block in blocks(array)]
    lows, highs = zip(*ranges, strict=True)
    if any(map(math.isnan, lows)):
        return math.nan, math.nan
    return min(lows), max(highs)


def refuse_binary(array: np.ndarray, name: str | PathLike) -> None:
    """Refuses a uint8 array of 0 and 1 alone, which as 0..255 would be black; all 0 is an image.

    Raises:
        InputError: for such an array. It is read in blocks, up to the first other value.
    """
    if array.dtype != np.uint8:
        return
    greatest = 0
    for block in blocks(array):
        greatest = max(greatest, int(block.max()))
        if greatest > 1:
            return
    if greatest:
        raise InputError(
            f"{name} holds uint8 values of 0 and 1 alone, expected 0 to 255: multiply it by 255, or "
            "save it as bool or floats"
        )


_BYTES_FROM = 8
"""What is brighter looks like bytes: of those the darkest pictures are."""


def _mend(low, high):
    """What to do with values that should lie in [0, 1]."""
    if low >= -0.5 and _BYTES_FROM < high <= 255.5:
        return "it looks like 0..255: divide it by 255, or save it as uint8"
    if low >= -0.5 and 255.5 < high <= 65535.5:
        return "it looks like 0..65535: divide it by 65535"
    if -1 - ROUNDING <= low < -0.5 and high <= 1 + ROUNDING:
        return "it looks like -1..1: take (x + 1) / 2"
    if low >= -0.5 and high <= _BYTES_FROM:
        return "clip it, or scale it"
    return "scale it"


def to_float(array: np.ndarray, limits: tuple[float, float] | None = CLEAN) -> np.ndarray:
    """The pixel values as float32 in [0, 1]: uint8 is divided by 255, floats are clipped.

    Booleans become 0 and 1. Floats may have other limits, or None for values that are not to be
    clipped.
    """
    if array.dtype == np.uint8:
        # Three times as fast as a division that converts as it goes.
        values = array.astype(np.float32)
        values /= 255
        return values
    if limits is None:
        # A copy, as clipping makes one: the array may be a memory map.
        return np.array(array, np.float32)
    return np.clip(np.asarray(array, np.float32), *limits)
