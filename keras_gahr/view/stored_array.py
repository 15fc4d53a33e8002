"""Arrays in `.npy` and `.npz` files that may be anybody's, read a few rows at a time."""

import contextlib
import io
import math
import os
import struct
import zipfile

import numpy as np

from keras_gahr.datasets.npy_header import START, check_header, check_member

_LARGEST_MEMBER = 2**31
"""Bytes of an array in a `.npz` file, of which all is inflated that comes before what is asked for."""

_MOST_AT_ONCE = 2**26
"""Bytes of the rows that are held in memory."""

_LARGEST_LIST = 2**20
"""Bytes of the list of a `.npz` file's arrays, which is read whole."""


class StoredArray:
    """An array on disk.

    Args:
        folder: `ViewedFolder`.
        name: of the file.
        member: the array's name, of a `.npz` file.

    Attributes:
        shape: of all.
        dtype: of NumPy: booleans, integers or floats.

    Raises:
        InputError, ValueError, OSError, KeyError, zipfile.BadZipFile: if it cannot be read.
    """

    def __init__(self, folder, name, member=None):
        self._open = lambda: _opened(folder, name, member)
        with self._open() as file:
            self.shape, self.dtype = _header(file)

    def rows(self, start=0, stop=None, axes=1):
        """Those from `start` on, before `stop`.

        Args:
            start, stop: numbers of rows; by default all.
            axes: how many leading axes are counted through as if they were one.

        Raises:
            ValueError: if there are none, or they take too much memory.
        """
        count, shape = math.prod(self.shape[:axes]), self.shape[axes:]
        stop = count if stop is None else min(stop, count)
        if not 0 <= start < stop:
            raise ValueError(f"there is no row {start} of {count}")
        row = math.prod(shape) * self.dtype.itemsize
        if (stop - start) * row > _MOST_AT_ONCE:
            raise ValueError(f"{(stop - start) * row / 2**20:.0f} MiB are too much at once")
        with self._open() as file:
            _header(file)
            file.seek(start * row, os.SEEK_CUR)
            content = file.read((stop - start) * row)
        return np.frombuffer(content, self.dtype).reshape(stop - start, *shape)


def member_names(folder, name):
    """The names of the arrays in a `.npz` file."""
    with folder.open(name) as file, _archive(file) as archive:
        return [each.removesuffix(".npy") for each in archive.namelist() if each.endswith(".npy")]


@contextlib.contextmanager
def _opened(folder, name, member):
    """A stream of an array's bytes, whose header says what follows."""
    with folder.open(name) as file:
        if member is None:
            check_header(file.read(START), os.fstat(file.fileno()).st_size)
            file.seek(0)
            yield file
            return
        with _archive(file) as archive:
            if archive.getinfo(f"{member}.npy").file_size > _LARGEST_MEMBER:
                raise ValueError(f"{member} has more than {_LARGEST_MEMBER >> 30} GiB")
            check_member(archive, member)
            with archive.open(f"{member}.npy") as stream:
                yield stream


def _archive(file):
    """The `.npz` file, after what it says at its end of its list of arrays has been looked at."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - 22, 0))
    end = file.read(22)
    if end[:4] != b"PK\5\6" or struct.unpack_from("<I", end, 12)[0] > _LARGEST_LIST:
        raise ValueError("it is no file of arrays")
    return zipfile.ZipFile(file)


def _header(file):
    """Shape and type; the stream is where the numbers begin, afterwards."""
    version = np.lib.format.read_magic(file)
    if version not in {(1, 0), (2, 0)}:
        raise ValueError("it is of a format that is not known")
    first = version == (1, 0)
    read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if (
        not shape
        or not math.prod(shape)
        or (fortran and len(shape) > 1)
        or dtype.kind not in "biuf"
    ):
        raise ValueError(f"it has shape {shape} of {dtype}, expected rows of numbers")
    return shape, dtype
