"""Headers of `.npy` files, compared with what the file holds before NumPy believes them."""

import io
import math
import struct
from zipfile import ZipFile

import numpy as np

from .entries import most_inflated

_LONGEST = 10_000
"""Bytes, as NumPy has it: a header is parsed as Python."""

MAGIC = np.lib.format.MAGIC_PREFIX

START = 12 + _LONGEST
"""Bytes in which any header lies."""

_LENGTHS = {1: "<H", 2: "<I", 3: "<I"}


def check_header(start: bytes, size: int) -> None:
    """Refuses a file whose header does not describe just what it holds.

    Args:
        start: its first bytes, `START` of them or all.
        size: its bytes.

    Raises:
        ValueError: saying in one line what is wrong.
    """
    file = io.BytesIO(start)
    major, _ = np.lib.format.read_magic(file)
    if major not in _LENGTHS:
        return  # NumPy refuses it.
    [length] = struct.unpack_from(_LENGTHS[major], start.ljust(12, b"\0"), 8)
    if length > _LONGEST:
        raise ValueError(f"its header has {length} bytes")
    if major == 3:
        return  # Only structures have such a header, which are no images.
    read = (
        np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read(file)
    if dtype.hasobject:
        return  # NumPy refuses it.
    # In Python's numbers, which do not overflow.
    expected = math.prod(shape) * dtype.itemsize
    held = size - file.tell()
    if min(shape, default=0) < 0 or expected != held:
        raise ValueError(
            f"its header says shape {shape} of {dtype}, {expected} bytes, but {held} follow; get it "
            "again, or save one array in each file"
        )


def check_member(archive: ZipFile, name: str) -> None:
    """The same for an array in a `.npz` file; also refuses one that was compressed as no images are.

    Args:
        archive: the file, as a ZipFile.
        name: of the array.
    """
    member = archive.getinfo(f"{name}.npy")
    if member.file_size > most_inflated(member.compress_size):
        raise ValueError(
            f"{name} would be inflated from {member.compress_size} to {member.file_size} bytes, as no "
            "images are: if you trust it, save it with numpy.save"
        )
    with archive.open(member) as file:
        check_header(file.read(START), member.file_size)
