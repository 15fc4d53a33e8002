"""Collections of picture files: a folder, a tar or a zip archive."""

import bz2
import contextlib
import dataclasses
import gzip
import itertools
import lzma
import shutil
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from keras_gahr.errors import InputError
from keras_gahr.impostors import impostor

from .image_files import PICTURES


@dataclasses.dataclass(frozen=True)
class Source:
    """Files that are read by name; nothing is extracted to disk.

    Attributes:
        names: the pictures (.png, .jpg, .bmp, .tif and others, see `PICTURES`), sorted.
        others: the remaining files, sorted: hidden ones and those of another suffix.
        read: from a name to the bytes of its file; raises InputError if they cannot be read. It may
            be called from several threads.
    """

    names: list[str]
    others: list[str]
    read: Callable[[str], bytes]


@contextlib.contextmanager
def open_source(path):
    """Yields the `Source` in a folder (with its subfolders) or a .tar, .tar.gz or .zip file.

    Raises:
        InputError: if it is missing, damaged or something else, has no pictures, or has two files
            of one name.
    """
    path = Path(path)
    with contextlib.ExitStack() as stack:
        if path.is_dir():
            files, read = _folder(path)
        elif not path.exists():
            raise InputError(f"{path} does not exist: give a folder, a .tar or a .zip of pictures")
        else:
            try:
                if tarfile.is_tarfile(path):
                    files, read = _tar(path, stack)
                elif zipfile.is_zipfile(path):
                    files, read = _zip(path, stack)
                else:
                    raise impostor(
                        path, "a .tar or .zip of pictures", {"tar", "zip"}
                    ) or InputError(f"{path} is not a folder, a .tar or a .zip of pictures")
            except _DAMAGE as error:
                raise InputError(f"{path} is a damaged archive: {error}; get it again") from error
        files.sort()
        for name, following in itertools.pairwise(files):
            if name == following:
                raise InputError(f"{path} holds {name} twice: keep one")
        names = [name for name in files if _is_picture(name)]
        if not names:
            raise InputError(
                f"{path} has no .jpg, .png or other pictures ({len(files)} files in all)"
            )
        yield Source(names, [name for name in files if not _is_picture(name)], read)


_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
)


def _is_picture(name):
    name = PurePosixPath(name)
    return name.suffix.lower() in PICTURES and not name.name.startswith(".")


def _folder(path):
    files = [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]

    def read(name):
        try:
            return (path / name).read_bytes()
        except OSError as error:
            raise InputError(f"{path / name} cannot be read: {error.strerror}") from error

    return files, read


def _tar(path, stack):
    archive = stack.enter_context(tarfile.TarFile(_seekable(path, stack)))
    members = [m for m in archive.getmembers() if m.isfile() or m.issym() or m.islnk()]
    by_name = {member.name: member for member in members}
    lock = threading.Lock()  # A tarfile has one position for all its members.

    def read(name):
        try:
            # A link is followed to another member of the archive, never to the disk.
            with lock:
                file = archive.extractfile(by_name[name])
                if file is not None:
                    return file.read()
        except (*_DAMAGE, KeyError, RecursionError) as error:
            raise InputError(f"{name} cannot be read from {path}: {error}") from error
        raise InputError(f"{name} cannot be read from {path}: it is not a file")

    return [member.name for member in members], read


def _seekable(path, stack):
    """The path of an uncompressed tar: reading a compressed one by name would start over each time.

    A compressed one is unpacked to a tar that is deleted when the stack closes.
    """
    with path.open("rb") as file:
        magic = file.read(6)
    openers = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
    if magic[:2] not in openers:
        return path
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    with openers[magic[:2]](path) as packed, (folder / "unpacked.tar").open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    return folder / "unpacked.tar"


def _zip(path, stack):
    archive = stack.enter_context(zipfile.ZipFile(path))

    def read(name):
        try:
            return archive.read(name)
        # RuntimeError is an encrypted member, NotImplementedError an unknown compression.
        except (*_DAMAGE, RuntimeError, NotImplementedError) as error:
            raise InputError(f"{name} cannot be read from {path}: {error}") from error

    return [info.filename for info in archive.infolist() if not info.is_dir()], read
