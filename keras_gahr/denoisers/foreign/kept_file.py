"""A file that a recipe builds on, known by its size and SHA-256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from keras_gahr.errors import InputError
from keras_gahr.files import check_regular

_MOST_FILES = 1000
"""In a folder with a network."""


@dataclass(frozen=True)
class KeptFile:
    """A file as it was.

    Args:
        path: where it is.
        sha256: of its bytes.
        size: bytes.
    """

    path: Path
    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> KeptFile:
        """The file as it is now; raises `InputError` unless it is a regular one."""
        check_regular(path)
        with open(path, "rb") as file:
            return cls(path, hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)

    def check(self, where: str) -> None:
        """Raises `InputError` if the file has changed.

        Args:
            where: what knows it as it was, for the error.
        """
        check_regular(self.path, f"the file that {where} names")
        # A file of another length need not be read.
        if self.path.stat().st_size != self.size or KeptFile.of(self.path) != self:
            raise InputError(
                f"{self.path} is not the file that {where} was made with: its size or SHA-256 is another; "
                "put back that one, or make the recipe anew"
            )


def files_in(folder: Path) -> tuple[KeptFile, ...]:
    """The files in a folder and below it, hidden ones left out, in the order of their names.

    Raises:
        InputError: if it is no folder, or if there are more than a thousand.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: give one that diffusers has saved a network in")
    found = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and not path.is_dir():
            found.append(path)
        if len(found) > _MOST_FILES:
            raise InputError(f"{folder} holds more than {_MOST_FILES} files: give a network's own")
    return tuple(KeptFile.of(path) for path in found)
