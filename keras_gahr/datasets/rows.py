"""Pictures in the rows of a table, read in order."""

import bisect
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import Any

from keras_gahr.errors import InputError

from .entries import MOST, check_size

DIGITS = len(str(MOST))


def row_names(count: int, limit: int | None, path: str | PathLike) -> list[str]:
    """The names of the rows of a table: their numbers, with zeros in front, so that they sort.

    Args:
        count: how many rows there are.
        limit: how many are needed; None for all.
        path: of the table, for errors.

    Raises:
        InputError: if so many names are too many to hold in memory.
    """
    count = min(count, count if limit is None else limit)
    if count > MOST:
        raise InputError(
            f"{path} has {count} rows, more than {MOST}: take the first ones by --count"
        )
    return [f"{row:0{DIGITS}}" for row in range(count)]


class Rows:
    """Reads the rows of a table by number; fast in ascending order.

    Args:
        counts: the number of rows in each group that is read from its beginning.
        values: from the number of a group to an iterator of its rows' values: bytes-like, or None.
        path: of the table, for errors.
    """

    def __init__(
        self, counts: Sequence[int], values: Callable[[int], Iterator[Any]], path: str | PathLike
    ) -> None:
        self._ends = list(itertools.accumulate(counts))
        self._values = values
        self._path = path
        self._lock = threading.Lock()
        self._group, self._next = -1, 0
        self._iterator: Iterator[Any] = iter(())

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def read(self, name: str) -> bytes:
        """The bytes in the row of this name: see `row_names`."""
        row = int(name)
        with self._lock:
            group = bisect.bisect_right(self._ends, row)
            if group != self._group or row < self._next:
                self._iterator = self._values(group)
                self._group, self._next = group, self._ends[group - 1] if group else 0
            try:
                value = next(itertools.islice(self._iterator, row - self._next, None), None)
            except BaseException:
                self._group = -1
                raise
            self._next = row + 1
        if value is None:
            raise InputError(f"row {name} of {self._path} holds no picture")
        check_size(f"row {name} of {self._path}", len(value))
        return bytes(value)
