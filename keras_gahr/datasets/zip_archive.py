"""Zip archives, read to their proven end.

Members are read by `zipfile`, which believes the directory at the end of the file: here it is compared
with what the file holds, so that nothing is left out that a damaged directory does not list.
"""

import contextlib
import lzma
import stat
import struct
import zipfile
import zlib
from os import PathLike
from typing import BinaryIO

from keras_gahr.errors import InputError
from keras_gahr.folder_tree import NOT_A_FILE

from .entries import (
    MOST,
    Entries,
    Unusable,
    check_size,
    followed,
    following,
)

_DAMAGE = (
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,  # bz2 has no error of its own, and a place may be out of range.
    ValueError,
    RuntimeError,
    NotImplementedError,  # An unknown compression.
    struct.error,
)

_ENCRYPTED = 1

_LOCAL, _END, _END_64, _LOCATOR = b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7"

# Behind the data of a member that was written to a pipe stand its sizes.
_MOST_BEHIND = 24

# Of bzip2, all that comes from so many bytes is in memory.
_PART = 2**12

_LONGEST_LINK = 2**12


def is_zip(file: BinaryIO) -> bool:
    """Whether an open file is a zip archive, be it damaged or not."""
    file.seek(0)
    return file.read(4) in {_LOCAL, _END, b"PK\7\b", b"PK00"} or zipfile.is_zipfile(file)


def read_zip(file: BinaryIO, path: str | PathLike, stack: contextlib.ExitStack) -> Entries:
    """The `Entries` of a zip archive.

    Args:
        file: the archive, open for reading in binary; it must stay open.
        path: what errors call it.
        stack: an ExitStack that closes what is opened.

    Raises:
        Unusable: if the directory is damaged, or the archive holds anything else.
    """
    start, count = _directory(file)
    try:
        archive = stack.enter_context(zipfile.ZipFile(file))
    except _DAMAGE as error:
        raise Unusable(f"its directory is damaged ({error})") from error
    members = archive.infolist()
    if len(members) != count:
        raise Unusable(f"its directory lists {len(members)} members, but says it has {count}")
    _check_places(file, members, start)

    def read(name):
        return _read(archive, name, path)

    files, links, others = [], {}, {}
    for member in members:
        mode = stat.S_IFMT(member.external_attr >> 16) if member.create_system == 3 else 0
        if member.is_dir():
            continue
        if mode in {0, stat.S_IFREG}:
            files.append(member.filename)
        elif mode == stat.S_IFLNK and member.file_size <= _LONGEST_LINK:
            target = read(member.filename).decode("utf-8", "surrogateescape")
            links[member.filename] = followed(member.filename, target)
        else:
            others[member.filename] = NOT_A_FILE

    return Entries([*files, *links], others, {}, following(path, files, links, read))


def _read(archive, name, path):
    member = archive.getinfo(name)
    check_size(f"{name} in {path}", member.file_size, member.compress_size)
    if member.flag_bits & _ENCRYPTED:
        raise InputError(
            f"{name} cannot be read from {path}: it is encrypted; unpack it and give the folder"
        )
    try:
        # Whatever its size is said to be, no more than one part is inflated at once. At the end,
        # the CRC is checked.
        with archive.open(member) as file:
            data = b"".join(iter(lambda: file.read(_PART), b""))
    except _DAMAGE as error:
        raise InputError(f"{name} cannot be read from {path}: {error}") from error
    if len(data) != member.file_size:
        raise InputError(f"{name} cannot be read from {path}: it is shorter than declared")
    return data


def _directory(file):
    """Where the directory starts, and how many members it has, from the last bytes of the file."""
    size = file.seek(0, 2)
    tail = _at(file, max(0, size - 22 - 2**16), 22 + 2**16)
    place = tail.rfind(_END)
    if place < 0:
        raise Unusable("it was cut off: the directory at its end is missing")
    if len(tail) - place < 22:
        raise Unusable("it was cut off")
    at = size - len(tail) + place
    disks, first_disk, here, count, length, start, comment = struct.unpack_from(
        "<HHHHIIH", tail, place + 4
    )
    if at + 22 + comment != size:
        raise Unusable("it was cut off, or more bytes follow its end")
    locator = _at(file, at - 20, 20) if at >= 20 else b""
    if locator.startswith(_LOCATOR):
        at = struct.unpack_from("<Q", locator, 8)[0]
        record = _at(file, at, 56) if at <= size - 56 else b""
        if not record.startswith(_END_64):
            raise Unusable("its directory is damaged")
        disks, first_disk, here, count, length, start = struct.unpack_from("<IIQQQQ", record, 16)
    if disks or first_disk or here != count:
        raise Unusable("it is one of several parts", "join them")
    if count > MOST or length > MOST * 128:
        raise Unusable(f"it has more than {MOST} members", "make several")
    if start + length != at:
        raise Unusable(
            "it does not begin at its first byte, as where archives were joined, or its directory is "
            "damaged",
            "unpack it and give the folder",
        )
    return start, count


def _check_places(file, members, end):
    """Proves that the members fill the file up to the directory, and that none has another's bytes."""
    at = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        start = member.header_offset
        _check_gap(start - at)
        header = _at(file, start, 30)
        if len(header) < 30 or not header.startswith(_LOCAL):
            raise Unusable(f"{member.filename} is not where its directory says")
        at = start + 30 + sum(struct.unpack_from("<HH", header, 26)) + member.compress_size
    _check_gap(end - at)


def _check_gap(size):
    if size < 0:
        raise Unusable("its members overlap, or it was cut off")
    if size > _MOST_BEHIND:
        raise Unusable(
            f"it holds {size} bytes that its directory does not list, such as a lost member",
            "unpack it and give the folder",
        )


def _at(file, start, size):
    file.seek(start)
    return file.read(size)
