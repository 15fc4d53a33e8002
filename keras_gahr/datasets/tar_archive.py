"""Tar archives, read to their proven end.

The headers are parsed by `tarfile`; which one follows which is found here, because `tarfile` takes a
damaged header for the end of the archive.
"""

import tarfile
import threading
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

BLOCK = 512

# What says more of the next member than its header has room for, in its data.
_PAX, _GLOBAL = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}, {tarfile.XGLTYPE}
_LONG = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_LONGEST = 2**20

# Writers fill up the last record with zeros: 10 kB usually.
_MOST_ZEROS = 2**24

_FOLDERS = {tarfile.DIRTYPE, b"D"}
_LABEL, _CONTINUED = b"V", b"M"


def is_tar(start: bytes) -> bool:
    """Whether the first 512 bytes of a file begin a tar archive, be it damaged or not."""
    if start[257:262] == b"ustar" or start == bytes(BLOCK):
        return True
    try:
        tarfile.TarInfo.frombuf(start, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def read_tar(file: BinaryIO, path: str | PathLike) -> Entries:
    """The `Entries` of an uncompressed tar archive.

    Args:
        file: the archive, open for reading in binary; it must stay open.
        path: what errors call it.

    Raises:
        Unusable: if a header is damaged, if it was cut off, or if anything follows its end.
    """
    files, places, links, others = [], {}, {}, {}
    for count, (name, member, place) in enumerate(_members(file)):
        if count >= MOST:
            raise Unusable(f"it has more than {MOST} members", "make several")
        if member.isreg():
            files.append(name)
            places[name] = place
        elif member.issym() or member.islnk():
            links[name] = followed(name, member.linkname) if member.issym() else member.linkname
        elif member.type not in _FOLDERS and member.type != _LABEL:
            others[name] = NOT_A_FILE
    lock = threading.Lock()  # A file has one position for all threads.

    def read(name):
        start, size = places[name]
        check_size(f"{name} in {path}", size)
        with lock:
            data = _at(file, start, size)
        if len(data) != size:
            raise InputError(f"{name} cannot be read from {path}: it was changed meanwhile")
        return data

    return Entries([*files, *links], others, {}, following(path, places, links, read))


def _members(file):
    """Yields (name, header, (start, size)) of each member: where its data are, in bytes."""
    end = file.seek(0, 2)
    at, common, own = 0, {}, {}
    while any(block := _at(file, at, BLOCK)):
        member = _header(block, at)
        at += BLOCK
        if member.type in _PAX | _GLOBAL | _LONG.keys():
            if not 0 <= member.size <= _LONGEST:
                raise Unusable(f"the header at byte {at - BLOCK} declares {member.size} bytes")
            data = _at(file, at, member.size)
            if member.type in _LONG:
                own[_LONG[member.type]] = _text(data.split(b"\0", 1)[0])
            else:
                (common if member.type in _GLOBAL else own).update(_records(data, at))
            at += _whole_blocks(member.size)
            continue
        more = common | own
        own = {}
        name = more.get("path", member.name)
        member.linkname = more.get("linkpath", member.linkname)
        if member.type == tarfile.GNUTYPE_SPARSE or any(
            key.startswith("GNU.sparse") for key in more
        ):
            raise Unusable(f"it holds {name} as a sparse file", "pack it without --sparse")
        if member.type == _CONTINUED:
            raise Unusable("it is one of several volumes", "join them")
        size = 0
        if member.isreg() or member.type not in tarfile.SUPPORTED_TYPES:
            size = _number(more["size"], at) if "size" in more else member.size
        if not 0 <= size <= end - at:
            raise Unusable(f"it was cut off in {name}")
        yield name, member, (at, size)
        at += _whole_blocks(size)
    _check_end(file, at, end)
    if own:
        raise Unusable("it was cut off before its last member")


def _header(block, at):
    try:
        member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    # Its stubs lack the name.
    except tarfile.TruncatedHeaderError as error:  # pyright: ignore[reportAttributeAccessIssue]
        raise Unusable("it was cut off") from error
    except tarfile.HeaderError as error:
        raise Unusable(f"the header at byte {at} is damaged ({error})") from error
    if block[257:265] == tarfile.GNU_MAGIC:
        # Where others have the first part of a long name, GNU has times, which `tarfile` overlooks.
        member.name = _text(block[:100].split(b"\0", 1)[0]).rstrip("/")
    return member


def _check_end(file, at, end):
    """Proves that the archive ends here: two blocks of zeros or more, and nothing else."""
    if end - at < 2 * BLOCK:
        raise Unusable("it was cut off: the mark of its end is missing")
    while at < end:
        part = _at(file, at, 2**20)
        if any(part) or end - at > _MOST_ZEROS:
            raise Unusable(
                "more bytes follow the mark of its end, as where archives were joined",
                "unpack it with `tar --ignore-zeros` and give the folder",
            )
        at += len(part)


def _records(data, at):
    """The entries "LENGTH NAME=VALUE" and a line's end, of a pax header."""
    records = {}
    data, start = data.rstrip(b"\0"), 0
    while start < len(data):
        length, _, _ = data[start : start + 20].partition(b" ")
        size = _number(_text(length), at)
        record = data[start + len(length) + 1 : start + size]
        start += size
        name, equals, value = record.partition(b"=")
        if start > len(data) or not equals or not value.endswith(b"\n"):
            raise Unusable(f"the pax header at byte {at} is damaged")
        records[_text(name)] = _text(value[:-1])
    return records


def _number(text, at):
    # Twenty digits count the bytes of any file; int() is slow, or refuses, from thousands on.
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise Unusable(f"the pax header at byte {at} is damaged")
    return int(text)


def _text(data):
    return data.decode("utf-8", "surrogateescape")


def _whole_blocks(size):
    return -(-size // BLOCK) * BLOCK


def _at(file, start, size):
    file.seek(start)
    return file.read(size)
