"""Arrays of pixel values in `.npy` and `.npz` files, and their checks."""

import mmap
from pathlib import Path

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.impostors import impostor

# Values this far outside [0, 1] are rounding; anything farther is another unit.
ROUNDING = 1e-6

BLOCK_BYTES = 2**23


def read_array(path):
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
            return loaded["images" if "images" in names else names[0]]
    except InputError:
        raise
    except Exception as error:  # NumPy raises whatever the damaged part happened to cause.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if "allow_pickle" in reason or "Python objects" in reason:
            reason = "it holds Python objects; save numbers, as uint8 or floats"
        raise impostor(path, "an array", {"array", "zip"}) or InputError(
            f"{path} cannot be read as an array: {reason}"
        ) from error


def blocks(array):
    """Yields the array in order, in parts of about 8 MiB along its first axis.

    Of a memory map, no more than one part stays in memory: use a part before taking the next.
    """
    rows = max(1, BLOCK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        release(array)


def take(images, index, limits=(0, 1)):
    """The images at `index` (whatever indexes an array) as float32 in [0, 1], in memory.

    Of a memory map, nothing else stays in memory. For limits see `to_float`.
    """
    values = to_float(np.asarray(images[index]), limits)
    release(images)
    return values


def release(array):
    """Lets go of the pages of a memory map that were read; they would count as this process's.

    They are read again when needed, usually from the system's cache. Arrays other than read-only
    maps, and systems without `madvise`, are left alone.
    """
    while isinstance(array, np.ndarray) and isinstance(array.base, np.ndarray):
        array = array.base
    # Of a map that can be written to, this would throw the changes away.
    if isinstance(array, np.memmap) and array.mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
        array.base.madvise(mmap.MADV_DONTNEED)


def check_values(array, name, limits=(0, 1)):
    """Refuses an array that does not hold pixel values; reads it in blocks.

    Args:
        array: any shape; uint8, or floats in [0, 1].
        name: what the error calls it, such as its path.
        limits: of floats; wavelet bands have others.

    Raises:
        InputError: if it is empty, has another type, holds NaN, or leaves the limits by more than
            rounding (1e-6).
    """
    if array.size == 0:
        raise InputError(f"{name} is empty (shape {array.shape}): expected at least one image")
    if array.dtype == np.uint8:
        return
    if array.dtype.kind != "f":
        raise InputError(
            f"{name} has type {array.dtype}: expected uint8 in 0..255 or floats in [0, 1]"
        )
    for block in blocks(array):
        low, high = float(block.min()), float(block.max())
        if np.isnan(low):
            raise InputError(f"{name} holds NaN: expected values in [0, 1]; remove those images")
        if low < limits[0] - ROUNDING or high > limits[1] + ROUNDING:
            raise InputError(
                f"{name} holds values from {low:.4g} to {high:.4g}: expected "
                f"[{limits[0]:g}, {limits[1]:g}]; rescale it, or save 0..255 as uint8"
            )


def to_float(array, limits=(0, 1)):
    """The pixel values as float32 in [0, 1]: uint8 is divided by 255, floats are clipped.

    Floats may have other limits, or None for values that are not to be clipped.
    """
    if array.dtype == np.uint8:
        return np.divide(array, 255, dtype=np.float32)
    if limits is None:
        # A copy, as clipping makes one: the array may be a memory map.
        return np.array(array, np.float32)
    return np.clip(np.asarray(array, np.float32), *limits)
