"""Compressed archives, unpacked to a temporary file that nobody else sees."""

import bz2
import contextlib
import errno
import lzma
import shutil
import tempfile
import zlib
from collections.abc import Callable
from os import PathLike
from typing import Any, BinaryIO

from keras_gahr.errors import InputError

from .entries import Unusable, most_inflated

PART = 2**20

# Free space that is left for others.
_ROOM = 2**26

_MEMORY = 2**30  # xz asks for at most 65 MiB at its strongest setting.


class _Gzip:
    """A stream of gzip, with the interface of `bz2.BZ2Decompressor`."""

    def __init__(self):
        self._stream = zlib.decompressobj(wbits=31)

    eof = property(lambda self: self._stream.eof)
    unused_data = property(lambda self: self._stream.unused_data)
    needs_input = property(lambda self: not self._stream.unconsumed_tail)

    def decompress(self, data, most):
        return self._stream.decompress(self._stream.unconsumed_tail + data, most)


_FORMATS = {
    b"\x1f\x8b": _Gzip,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY),
}


def compression(start: bytes) -> Callable[[], Any] | None:
    """What makes a decompressor for a file with these first bytes, or None."""
    return next((new for magic, new in _FORMATS.items() if start.startswith(magic)), None)


def unpack(
    file: BinaryIO, path: str | PathLike, new: Callable[[], Any], stack: contextlib.ExitStack
) -> BinaryIO:
    """A temporary file with what is in a compressed one; it is gone when the stack closes.

    Reading a compressed tar by name would start over for each member.

    Args:
        file: the compressed file, open for reading in binary.
        path: what errors call it.
        new: from `compression`.
        stack: an ExitStack.

    Raises:
        Unusable: if the file is damaged or was cut off, or if it grows as no pictures do.
        InputError: if there is no room.
    """
    most = most_inflated(file.seek(0, 2))
    file.seek(0)
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError as error:
        raise InputError(
            f"{path} cannot be unpacked, no folder for temporary files can be written to: set TMPDIR"
        ) from error
    try:
        with contextlib.ExitStack() as own:
            unpacked = own.enter_context(tempfile.TemporaryFile(dir=folder))
            for part in _parts(file, new):
                if unpacked.tell() + len(part) > most:
                    raise Unusable(
                        f"it would be inflated to more than {most} bytes, as no pictures are",
                        "if you trust it, unpack it and give the folder",
                    )
                if unpacked.tell() % _ROOM < PART and shutil.disk_usage(folder).free < 2 * _ROOM:
                    raise OSError(errno.ENOSPC, "")
                unpacked.write(part)
            unpacked.flush()
            stack.push(own.pop_all())
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise InputError(
            f"{folder} has no room for the unpacked {path}: set TMPDIR to a folder with more, or "
            "unpack it yourself and give the folder"
        ) from error
    return unpacked


def _parts(file, new):
    """Yields what is in a compressed file in parts of at most 1 MiB, to its last byte."""
    stream, data = new(), b""
    while True:
        if stream.eof:
            # Another stream may follow, and zeros as padding.
            data = stream.unused_data.lstrip(b"\0") or _next(file)
            if not data:
                return
            stream = new()
        elif stream.needs_input:
            data = file.read(PART)
        try:
            part = stream.decompress(data, PART)
        except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:  # OSError is that of bz2.
            raise Unusable(f"it is damaged ({error})") from error
        if not part and not data and not stream.eof:
            raise Unusable("it was cut off")
        data = b""
        yield part


def _next(file):
    """What follows in a file behind zeros."""
    while data := file.read(PART):
        if data := data.lstrip(b"\0"):
            return data
    return b""
