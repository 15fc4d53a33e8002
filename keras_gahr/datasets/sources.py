"""Collections of picture files: a folder, a tar or a zip archive."""

import contextlib
import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path, PurePosixPath

from keras_gahr.errors import InputError
from keras_gahr.files import check_regular, kind_of
from keras_gahr.folder_tree import HIDDEN, is_hidden, walk
from keras_gahr.impostors import impostor

from .entries import Entries, Unusable, check_size, same
from .image_files import PICTURES
from .tar_archive import is_tar, read_tar
from .unpacked import compression, unpack
from .zip_archive import is_zip, read_zip

EXPECTED = "a folder, a .tar or a .zip of pictures"


@dataclasses.dataclass(frozen=True)
class Source:
    """Files that are read by name; nothing is extracted to disk.

    Attributes:
        names: the pictures (.png, .jpg, .bmp, .tif and others, see `PICTURES`), sorted.
        skipped: {"name": ..., "reason": ...} of everything else but folders, sorted by the name.
        read: from a name to the bytes of its file; raises InputError if they cannot be read. It may
            be called from several threads.
    """

    names: list[str]
    skipped: list[dict[str, str]]
    read: Callable[[str], bytes]


@contextlib.contextmanager
def open_source(path: str | PathLike, skip_bad: bool = False) -> Iterator[Source]:
    """Yields the `Source` in a folder (with its subfolders) or a .tar, .tar.gz or .zip file.

    Every file in it is among the pictures or those skipped, or this raises. Hidden files, and all
    files in hidden folders, are skipped. Links to folders are followed, see `walk`.

    Args:
        path: the folder or archive.
        skip_bad: skip folders that cannot be listed and links that lead nowhere, instead of raising.

    Raises:
        InputError: if it is missing, damaged or something else, has no pictures, or has two files
            of one name.
    """
    path = Path(path)
    with contextlib.ExitStack() as stack:
        folder = kind_of(path) == "folder"
        entries = _read_folder(path) if folder else _read_archive(path, stack)
        names, skipped = [], dict(entries.others)
        for name in sorted(entries.files):
            if PurePosixPath(name).suffix.lower() in PICTURES and not is_hidden(name):
                names.append(name)
            else:
                skipped[name] = "not a picture by its suffix"
        for name, reason in sorted(entries.unreadable.items()):
            skipped[name] = reason
            if not skip_bad and not is_hidden(name):
                raise InputError(f"{path / name} {reason}: mend it, or pass --skip-bad")
        for name, following in itertools.pairwise(sorted(names, key=same)):
            if same(name) == same(following):
                raise InputError(f"{path} holds {following} twice: keep one")
        if not names:
            raise InputError(
                f"{path} has no .jpg, .png or other pictures ({len(skipped)} other files in all)"
            )
        listed = [
            {"name": name, "reason": HIDDEN if is_hidden(name) else reason}
            for name, reason in sorted(skipped.items())
        ]
        yield Source(names, listed, entries.read)


def _read_folder(path):
    files, others, unreadable = walk(path)

    def read(name):
        try:
            with open(path / name, "rb") as file:
                check_size(path / name, os.fstat(file.fileno()).st_size)
                return file.read()
        except OSError as error:
            raise InputError(f"{path / name} cannot be read: {error.strerror}") from error

    return Entries(files, others, unreadable, read)


def _read_archive(path, stack):
    check_regular(path, EXPECTED)
    try:
        file = stack.enter_context(path.open("rb"))
        new = compression(file.read(8))
        if new:
            file = unpack(file, path, new, stack)
        file.seek(0)
        if is_tar(file.read(512)):
            return read_tar(file, path)
        if not new and is_zip(file):
            return read_zip(file, path, stack)
    except Unusable as error:
        raise InputError(f"{path} cannot be used: {error}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if new:
        raise InputError(f"{path} is a compressed file, but holds no tar: expected {EXPECTED}")
    raise impostor(path, "a .tar or .zip of pictures", {"tar", "zip"}) or InputError(
        f"{path} is not {EXPECTED}"
    )
