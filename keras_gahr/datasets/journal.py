"""What an interrupted run had finished, block by block."""

import json
from pathlib import Path
from typing import Any


class Journal:
    """A file of one JSON object a line: first what is being made, then an entry for each block.

    A process that was killed may have left half a line, or half a block. So only whole lines count,
    and the first must say that the same was being made; everything behind them is cut off.

    Args:
        path: the file, made if it is missing.
        made: what is being made, as JSON has it.
    """

    def __init__(self, path: Path, made: Any) -> None:
        self._path = path
        path.touch()
        self._file = path.open("r+b")
        self._entries = []
        self._end = 0
        first, *others = _whole_lines(self._file) or [(None, 0)]
        if first[0] == made:
            self._end = first[1]
            self._entries = others
        else:
            self._write(made)

    @property
    def pending(self) -> bool:
        """Whether there are entries that were neither accepted nor given up."""
        return bool(self._entries)

    def next(self, key: Any) -> dict[str, Any] | None:
        """The next pending entry, if it has this key; if not, all pending ones are given up."""
        if self._entries and self._entries[0][0].get("key") == key:
            return self._entries[0][0]
        self.give_up()
        return None

    def accept(self) -> None:
        """Counts the next pending entry as done."""
        _, self._end = self._entries.pop(0)

    def give_up(self) -> None:
        """Cuts off the pending entries."""
        self._entries.clear()
        self._file.truncate(self._end)

    def add(self, **entry: Any) -> None:
        """Adds an entry; gone from this process when it returns."""
        self.give_up()
        self._write(entry)

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        self.close()
        self._path.unlink()

    def _write(self, content):
        self._file.seek(self._end)
        self._file.write(json.dumps(content).encode() + b"\n")
        self._file.truncate()
        self._file.flush()
        self._end = self._file.tell()


def _whole_lines(file):
    """The objects in a file and where each ends, up to the first that is not whole."""
    found, end = [], 0
    for line in file.read().splitlines(keepends=True):
        try:
            content = json.loads(line) if line.endswith(b"\n") else None
        except (ValueError, RecursionError):
            break
        if not isinstance(content, dict):
            break
        end += len(line)
        found.append((content, end))
    return found
