"""Collections of pictures: files in a folder or an archive, and the forms in which data sets come."""

import contextlib
import dataclasses
import fnmatch
import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from keras_gahr.errors import InputError
from keras_gahr.files import check_regular, kind_of
from keras_gahr.folder_tree import HIDDEN, is_hidden, walk
from keras_gahr.impostors import impostor

from .arrow_tables import is_table, read_table
from .cifar import is_batch, read_batches
from .entries import MOST, Entries, Unusable, check_size, same
from .hub_dataset import HubDataset, is_hub_dataset, read_hub_dataset
from .image_files import PICTURES
from .lmdb_file import is_lmdb, read_lmdb
from .tar_archive import is_tar, read_tar
from .tfrecord import is_tfrecord, read_tfrecord
from .unpacked import compression, unpack
from .zip_archive import is_zip, read_zip

EXPECTED = "a folder, a .tar or a .zip of pictures"

SHARDS = (".arrow", ".parquet", ".tar", ".tar.gz", ".tgz", "data.mdb")
"""Ends of the names of files in a folder that are opened in their turn, if it has no pictures."""

PictureSource: TypeAlias = str | PathLike | Sequence[str | PathLike] | HubDataset
"""The path of a folder or file of pictures, several of them, or a `Dataset` of the library `datasets`."""

_START = 512


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Which pictures of a source are to be read.

    Attributes:
        only: a pattern, see `fnmatch`, of the names to be taken, or of their ends from any slash on.
            None for all.
        count: take so many, the first ones. None for all.
        column: of tables, that with the pictures; None for the only one.
        skip_bad: skip folders that cannot be listed and links that lead nowhere, instead of raising.

    Raises:
        InputError: if the count is not positive.
    """

    only: str | None = None
    count: int | None = None
    column: str | None = None
    skip_bad: bool = False

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise InputError(f"the count is {self.count}: expected at least 1")

    @property
    def limit(self) -> int | None:
        """How many names have to be known; None for all."""
        return self.count if self.only is None else None

    def among(self, names: list[str]) -> list[str]:
        """Those that are wanted.

        Raises:
            InputError: if there is none.
        """
        only, chosen = self.only, names
        if only is not None:
            chosen = [
                name
                for name in names
                if fnmatch.fnmatchcase(name, only) or fnmatch.fnmatchcase(name, f"*/{only}")
            ]
        if not names:
            raise InputError("there are no rows, expected at least one picture")
        if not chosen:
            raise InputError(
                f"none of {len(names)} pictures has a name like {only!r}: the first is {names[0]}"
            )
        return chosen[: self.count]


@dataclasses.dataclass(frozen=True)
class Source:
    """Pictures that are read by name; nothing is extracted to disk.

    Attributes:
        names: those of the pictures, in order.
        skipped: {"name": ..., "reason": ...} of everything else but folders, sorted by the name.
        read: from a name to the bytes of its file; raises InputError if they cannot be read. It may
            be called from several threads; in the order of the names it is fastest.
    """

    names: list[str]
    skipped: list[dict[str, str]]
    read: Callable[[str], bytes]


def paths_of(source: Any) -> list[Path]:
    """The paths of a `PictureSource`; none of a dataset in memory.

    Raises:
        InputError: if it is none.
    """
    if isinstance(source, str | PathLike):
        return [Path(source)]
    if is_hub_dataset(source):
        return []
    if not isinstance(source, Sequence) or not source:
        raise InputError(
            "received no source, expected the path of a folder or file of pictures, or several"
        )
    return list(map(Path, source))


@contextlib.contextmanager
def open_source(path: PictureSource, wanted: Wanted | None = None) -> Iterator[Source]:
    """Yields the `Source` in a folder or a file.

    Of a folder (with its subfolders) or a .tar, .tar.gz or .zip file, it is the files that are pictures
    by their suffix (.png, .jpg, .bmp, .tif and others, see `PICTURES`), sorted by their names as text.
    Of a Parquet or Arrow file, it is a column, see `read_table`; of a TFRecord file, a feature, see
    `read_tfrecord`; of an LMDB file, the values; of a batch of CIFAR or an archive of these, its images.
    A folder without pictures may hold such files or archives, as do large data sets that come in shards:
    they are read in the order of their names, and each picture has the name of its shard before its own.
    Several paths are read in the same way, in the order given.

    Every file is among the pictures or those skipped, or this raises, unless it is not wanted. Hidden
    files, and all files in hidden folders, are skipped. Links to folders are followed, see `walk`.

    Args:
        path: the folder or file, or several of them; or a dataset in memory, see `read_hub_dataset`.
        wanted: by default all pictures.

    Raises:
        InputError: if it is missing, damaged or something else, has no pictures, or has two files
            of one name.
    """
    wanted = wanted or Wanted()
    with contextlib.ExitStack() as stack:
        several = paths_of(path)
        if not several:
            entries = read_hub_dataset(path, wanted.column, wanted.limit)
            yield Source(wanted.among(entries.files), [], entries.read)
            return
        paths = {one.name: one for one in several}
        if len(paths) < len(several):
            raise InputError("two of the sources have one name: give the folder they are in")
        [(_, first), *others] = paths.items()
        # The rows of a table have no names of their own.
        joined = others or (kind_of(first) == "file" and _table_reader(first))
        source = _joined(paths, stack, wanted) if joined else _open(first, stack, wanted)
        yield dataclasses.replace(source, names=wanted.among(source.names))


def _open(path, stack, wanted):
    """The whole `Source` in a folder or a file."""
    if kind_of(path) == "folder":
        entries = _read_folder(path)
        shards = [name for name in sorted(entries.files) if _is_shard(name)]
        if not any(map(_is_picture, entries.files)) and (shards or _batches_in(entries)):
            if not shards:
                return _images_in_batches(entries, path, wanted)
            joined = _joined({name: path / name for name in shards}, stack, wanted)
            skipped = _skipped(
                entries, shards, "not a picture or a shard by its suffix", path, wanted
            )
            return dataclasses.replace(joined, skipped=[*skipped, *joined.skipped])
        return _pictures_in(entries, path, wanted)
    check_regular(path, EXPECTED)
    if read := _table_reader(path):
        entries = read(path, stack, wanted.column, wanted.limit)
        return Source(entries.files, [], entries.read)
    if is_batch(path.name):
        entries = Entries([path.name], {}, {}, lambda _: _read_file(path))
    else:
        entries = _read_archive(path, stack)
    if not any(map(_is_picture, entries.files)) and _batches_in(entries):
        return _images_in_batches(entries, path, wanted)
    return _pictures_in(entries, path, wanted)


def _table_reader(path):
    """The function that reads a file whose pictures have no names, or None."""
    start = _start_of(path)
    if is_table(start):
        return read_table
    if is_lmdb(start):
        return read_lmdb
    if is_tfrecord(path.name) and not compression(start) and not is_tar(start):
        return read_tfrecord
    return None


def _pictures_in(entries, path, wanted):
    names = [name for name in sorted(entries.files) if _is_picture(name)]
    skipped = _skipped(entries, names, "not a picture by its suffix", path, wanted)
    for name, following in itertools.pairwise(sorted(names, key=same)):
        if same(name) == same(following):
            raise InputError(f"{path} holds {following} twice: keep one")
    if not names:
        raise InputError(
            f"{path} has no .jpg, .png or other pictures ({len(skipped)} other files in all)"
        )
    return Source(names, skipped, entries.read)


def _images_in_batches(entries, path, wanted):
    """The images in batches of CIFAR."""
    names = _batches_in(entries)
    skipped = _skipped(entries, names, "not a batch of images by its name", path, wanted)
    images = read_batches(names, entries.read)
    return Source(images.files, skipped, images.read)


def _skipped(
    entries: Entries, used: Iterable[str], reason: str, path: Path, wanted: Wanted
) -> list[dict[str, str]]:
    """What of the entries was not used, with reasons; raises for what cannot be looked into."""
    skipped = entries.others | dict.fromkeys({*entries.files} - {*used}, reason)
    for name, why in sorted(entries.unreadable.items()):
        skipped[name] = why
        if not wanted.skip_bad and not is_hidden(name):
            raise InputError(f"{path / name} {why}: mend it, or pass --skip-bad")
    return [
        {"name": name, "reason": HIDDEN if is_hidden(name) else why}
        for name, why in sorted(skipped.items())
    ]


def _is_picture(name):
    return PurePosixPath(name).suffix.lower() in PICTURES and not is_hidden(name)


def _is_shard(name):
    return (name.lower().endswith(SHARDS) or is_tfrecord(name)) and not is_hidden(name)


def _batches_in(entries):
    return [name for name in sorted(entries.files) if is_batch(name) and not is_hidden(name)]


def _joined(paths: Mapping[str, Path], stack, wanted):
    """The `Source` of several, each of which has a name; only one of them is open at a time."""
    shards = _Shards(paths, wanted)
    stack.callback(shards.close)
    names, skipped = [], []
    for shard in paths:
        source = shards.opened(shard)
        names += [f"{shard}/{name}" for name in source.names]
        skipped += [file | {"name": f"{shard}/{file['name']}"} for file in source.skipped]
        if wanted.limit is not None and len(names) >= wanted.limit:
            break
        if len(names) > MOST:
            raise InputError(f"there are more than {MOST} pictures: take the first ones by --count")
    return Source(names, skipped, shards.read)


class _Shards:
    """Opens one of several sources at a time.

    Args:
        paths: from the name of each to its path.
        wanted: a `Wanted`.
    """

    def __init__(self, paths, wanted):
        self._paths, self._wanted = paths, wanted
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()
        self._opened: dict[str, Source] = {}

    def opened(self, shard):
        """The `Source` of this name; the one before is closed."""
        if shard not in self._opened:
            self.close()
            self._opened[shard] = _open(self._paths[shard], self._stack, self._wanted)
        return self._opened[shard]

    def read(self, name):
        # The name of a shard may have slashes, as may those in it.
        ends = [end for end, character in enumerate(name) if character == "/"]
        shard = next(name[:end] for end in ends if name[:end] in self._paths)
        with self._lock:
            try:
                return self.opened(shard).read(name[len(shard) + 1 :])
            except LookupError as error:
                raise InputError(f"{self._paths[shard]} was changed meanwhile") from error

    def close(self):
        self._opened.clear()
        self._stack.close()


def _start_of(path):
    try:
        with path.open("rb") as file:
            return file.read(_START)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _read_folder(path):
    files, others, unreadable = walk(path)
    return Entries(files, others, unreadable, lambda name: _read_file(path / name))


def _read_file(path):
    try:
        with open(path, "rb") as file:
            check_size(path, os.fstat(file.fileno()).st_size)
            return file.read()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _read_archive(path, stack):
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
