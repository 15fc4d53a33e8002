"""Pictures in LMDB files, as those of LSUN: a B+ tree of keys, each with the bytes of a picture.

LMDB's own library believes whatever a file says of the places in itself, and takes the process down if
it is not so. What is needed of the format, whose version is 1 since 2011, is read here with suspicion.
"""

import contextlib
import os
import struct
import threading
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from keras_gahr.errors import InputError
from keras_gahr.names import reason_of

from .entries import MOST, Entries, check_size

_MAGIC, _VERSION = b"\xde\xc0\xef\xbe", 1

_HEADER = 16
"""Bytes at the beginning of a page: its number (8), 2 unused, its kind (2), where its free room begins
and ends (2 + 2), or how many pages it takes (4)."""

_BRANCH, _LEAF, _OVERFLOW = 1, 2, 4
_BIG = 1
"""Of an entry: its value has pages of its own."""

_NONE = 2**64 - 1
_DEEPEST = 32
_PAGE_SIZES = {2**k for k in range(8, 17)}


def is_lmdb(start: bytes) -> bool:
    """Whether a file with these first bytes is one of LMDB, written where numbers end with the high byte."""
    return start.startswith(_MAGIC, _HEADER)


def read_lmdb(
    path: str | PathLike,
    stack: contextlib.ExitStack,
    column: str | None = None,
    limit: int | None = None,
) -> Entries:
    """The values of all keys as `Entries`, in order of the keys.

    Args:
        path: the file, such as `data.mdb`.
        stack: closes what is opened.
        column: None, since it has no columns.
        limit: how many are needed; None for all.

    Raises:
        InputError: if it is damaged, or has more keys than are held in memory.
    """
    if column is not None:
        raise InputError(f"{path} is an LMDB file, which has no column {column!r}: leave it out")
    try:
        file = stack.enter_context(Path(path).open("rb"))  # noqa: SIM115
        tree = _Tree(file)
        places = {}
        for key, place in tree.entries():
            if len(places) == limit:
                break
            if len(places) == MOST:
                raise InputError(
                    f"{path} has more than {MOST} keys: take the first ones by --count"
                )
            places[key.decode("utf-8", "surrogateescape")] = place
    except (ValueError, struct.error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged: {reason_of(error)}; get it again") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if not places:
        raise InputError(f"{path} is an LMDB file without keys")
    lock = threading.Lock()

    def read(name):
        start, size = places[name]
        check_size(f"{name} in {path}", size)
        with lock:
            data = tree.at(start, size)
        if len(data) != size:
            raise InputError(f"{name} cannot be read from {path}: it was changed meanwhile")
        return data

    return Entries([*places], {}, {}, read)


class _Tree:
    """The main B+ tree of an open file, as of its last transaction.

    Raises:
        ValueError, struct.error: if the file is damaged.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        metas = [self._meta(0)]
        self._page_size = metas[0][0]
        metas.append(self._meta(self._page_size))
        _, self._root, self._last, _ = max(metas, key=lambda meta: meta[-1])
        if (self._last + 1) * self._page_size > self._size:
            raise ValueError("it was cut off")

    def at(self, start: int, size: int) -> bytes:
        """Bytes of the file."""
        self._file.seek(start)
        return self._file.read(size)

    def entries(self):
        """Yields each key and where its value is, (start, size); no page is looked at twice."""
        waiting = [] if self._root == _NONE else [(self._root, 0)]
        seen = set()
        while waiting:
            number, depth = waiting.pop()
            if number in seen or depth > _DEEPEST:
                raise ValueError("its pages lead round in a circle")
            seen.add(number)
            page, kind = self._page(number)
            nodes = list(_nodes(page))
            if kind & _BRANCH:
                waiting += [
                    (low | high << 16 | flags << 32, depth + 1)
                    for _, low, high, flags, _ in reversed(nodes)
                ]
            elif kind & _LEAF:
                for place, low, high, flags, key in nodes:
                    yield key, self._value(number, page, place, low | high << 16, flags, len(key))
            else:
                raise ValueError(f"page {number} is neither a branch nor a leaf")

    def _value(self, number, page, place, size, flags, key_size):
        start = place + 8 + key_size
        if not flags & ~_BIG:
            if not flags:
                if start + size > len(page):
                    raise ValueError(f"a value of page {number} leaves the page")
                return number * self._page_size + start, size
            [first] = struct.unpack_from("<Q", page, start)
            _, kind = self._page(first)
            end = first * self._page_size + _HEADER + size
            if kind & _OVERFLOW and end <= (self._last + 1) * self._page_size:
                return first * self._page_size + _HEADER, size
            raise ValueError(f"a value of page {number} is not where it should be")
        raise ValueError("it has several values for a key, or several tables")

    def _page(self, number):
        """The page and its kind."""
        if not 2 <= number <= self._last:
            raise ValueError(f"it refers to page {number} of {self._last + 1}")
        page = self.at(number * self._page_size, self._page_size)
        found, kind = struct.unpack_from("<QxxH", page)
        if found != number:
            raise ValueError(f"page {number} says that it is page {found}")
        return page, kind

    def _meta(self, start):
        """The size of a page, the root, the last page and the number of the transaction."""
        data = self.at(start + _HEADER, 136)
        if not data.startswith(_MAGIC) or struct.unpack_from("<I", data, 4)[0] != _VERSION:
            raise ValueError(
                f"the description at byte {start} is not of version {_VERSION} of LMDB"
            )
        [page_size] = struct.unpack_from("<I", data, 24)
        root, last, transaction = struct.unpack_from("<QQQ", data, 112)
        if page_size not in _PAGE_SIZES:
            raise ValueError(f"its pages have {page_size} bytes")
        return page_size, root, last, transaction


def _nodes(page):
    """Yields what is in a branch or a leaf: the place, three numbers and the key of each."""
    [lower] = struct.unpack_from("<H", page, 12)
    if not _HEADER <= lower <= len(page):
        raise ValueError("the list of a page leaves the page")
    for place in struct.unpack_from(f"<{(lower - _HEADER) // 2}H", page, _HEADER):
        low, high, flags, key_size = struct.unpack_from("<4H", page, place)
        key = page[place + 8 : place + 8 + key_size]
        if place < _HEADER or len(key) != key_size:
            raise ValueError("a key leaves its page")
        yield place, low, high, flags, key
