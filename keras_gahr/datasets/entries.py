"""What a folder or an archive holds."""

import dataclasses
import posixpath
from collections.abc import Callable, Iterable
from os import PathLike

from keras_gahr.errors import InputError

MOST = 2**21
"""Entries of an archive: each takes some hundred bytes of memory, and next to none in a compressed one."""

LARGEST = 2**30
"""Bytes of a picture file."""

RATIO = 200
"""How far data may be compressed: pictures reach that only if they are blank."""

ALWAYS = 2**26
"""Bytes to which anything may be inflated."""


class Unusable(ValueError):
    """Why an archive cannot be used, and the mend; by default it is damaged."""

    def __init__(self, reason: str, mend: str = "get it again") -> None:
        super().__init__(f"{reason}; {mend}")


@dataclasses.dataclass(frozen=True)
class Entries:
    """What a folder or an archive holds; nothing is extracted to disk.

    Attributes:
        files: the names of the files, and of links to them.
        others: from the name of what never was a file of data, such as a pipe, to the reason.
        unreadable: from the name of what cannot be looked into to the reason.
        read: from the name of a file to its bytes; raises InputError if they cannot be read. It may
            be called from several threads.
    """

    files: list[str]
    others: dict[str, str]
    unreadable: dict[str, str]
    read: Callable[[str], bytes]


def check_size(name: str | PathLike, size: int, packed: int | None = None) -> None:
    """Refuses what is larger than a picture file, or was compressed as no picture is.

    Args:
        name: of the file, for errors.
        size: its bytes, as declared.
        packed: the bytes it was compressed to.
    """
    if size > LARGEST:
        raise InputError(
            f"{name} has {size / 2**30:.1f} GiB: expected a picture of at most {LARGEST >> 30} GiB"
        )
    if packed is not None and size > most_inflated(packed):
        raise InputError(
            f"{name} would be inflated from {packed} to {size} bytes, as no picture is: if you trust "
            "it, unpack the archive and give the folder"
        )


def most_inflated(packed: int) -> int:
    """The bytes to which so many may be inflated."""
    return max(ALWAYS, RATIO * packed)


def following(
    path: str | PathLike, files: Iterable[str], links: dict[str, str], read: Callable[[str], bytes]
) -> Callable[[str], bytes]:
    """A function that reads a file of an archive, or what a link leads to.

    A link is followed to another member of the archive, never to the disk.

    Args:
        path: of the archive, for errors.
        files: the names of the files.
        links: from the name of a link to the name it leads to.
        read: the function for files.
    """
    names = {same(name): name for name in files}
    targets = {same(name): same(target) for name, target in links.items()}

    def read_any(name):
        target, seen = same(name), set()
        while target in targets and target not in seen:
            seen.add(target)
            target = targets[target]
        if target not in names:
            raise InputError(
                f"{name} cannot be read from {path}: it is a link to {links[name]}, which is no file "
                "of the archive"
            )
        return read(names[target])

    return read_any


def followed(name: str, target: str) -> str:
    """The name of the member to which a symbolic link leads."""
    return posixpath.join(posixpath.dirname(name), target)


def same(name: str) -> str:
    """What two names have in common that lead to the same file when they are unpacked."""
    return posixpath.normpath(name).lstrip("/")
