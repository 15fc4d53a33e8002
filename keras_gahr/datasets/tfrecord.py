"""Pictures in TFRecord files: records of features (`tf.train.Example`), one of which is a picture.

A record is its length (8 bytes) with a checksum (4), its bytes, and their checksum (4). The features are
messages of Protocol Buffers, of which only the bytes that are asked for are taken.
"""

import contextlib
import os
import re
import struct
import threading
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from keras_gahr.errors import InputError

from .decoding import decoded_size
from .entries import MOST, Entries, Unusable, check_size
from .rows import row_names

_NAME = re.compile(r".*(\.tfrecords?([-.].*)?|-[0-9]{5}-of-[0-9]{5})", re.DOTALL)

_LENGTH, _CHECKSUM = struct.Struct("<QI"), struct.Struct("<I")

# The numbers of fields: Example.features, Features.feature, the key and value of its entries,
# Feature.bytes_list, BytesList.value.
_FEATURES, _ENTRY, _KEY, _VALUE, _BYTES, _ITEM = 1, 1, 1, 2, 1, 1


def is_tfrecord(name: str) -> bool:
    """Whether a file is called like one with records of TensorFlow, which have no mark of their own."""
    return _NAME.fullmatch(name.lower()) is not None


def read_tfrecord(
    path: str | PathLike,
    stack: contextlib.ExitStack,
    column: str | None = None,
    limit: int | None = None,
) -> Entries:
    """The pictures in the records as `Entries`, whose names are the numbers of the records.

    Args:
        path: the file.
        stack: closes what is opened.
        column: the feature with the picture; by default the only one of the first record that begins
            as a picture does, such as "image/encoded".
        limit: how many records are needed; None for all.

    Raises:
        InputError: if the file is damaged, or what compares checksums is not installed.
    """
    try:
        import google_crc32c
    except ImportError as error:
        raise InputError(
            f"{path} is a TFRecord file: install what compares its checksums, pip install "
            "'keras-gahr[tfrecord]'"
        ) from error

    def masked(data):
        checksum = google_crc32c.value(data)
        return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF

    lock = threading.Lock()

    def record(row):
        start, size = places[row]
        check_size(f"record {row} of {path}", size)
        with lock:
            file.seek(start)
            data = file.read(size + _CHECKSUM.size)
        if data[size:] != _CHECKSUM.pack(masked(data[:size])):
            raise InputError(f"record {row} of {path} is damaged: its checksum is another one")
        return data[:size]

    def read(name):
        try:
            found = features(record(int(name))).get(wanted)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"record {name} of {path} is damaged: {error}") from error
        if found is None:
            raise InputError(f"record {name} of {path} has no picture {wanted!r}")
        return bytes(found)

    try:
        file = stack.enter_context(Path(path).open("rb"))  # noqa: SIM115
        places = list(_places(file, masked, limit))
        if not places:
            raise Unusable("it has no records")
        first = features(record(0))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be used: {error}") from error
    wanted = _picture_in(first, path) if column is None else column
    return Entries(row_names(len(places), limit, path), {}, {}, read)


def features(record: bytes) -> dict[str, memoryview]:
    """The bytes in those features of an `Example` that have just one value, which is bytes.

    Raises:
        ValueError: if it is no such message.
    """
    found = {}
    for part in _parts(memoryview(record), _FEATURES):
        for entry in _parts(part, _ENTRY):
            # Of a field that is there twice, the last one counts.
            [*_, name] = [b"", *_parts(entry, _KEY)]
            values = [
                item
                for value in _parts(entry, _VALUE)
                for bytes_list in _parts(value, _BYTES)
                for item in _parts(bytes_list, _ITEM)
            ]
            if len(values) == 1:
                found[bytes(name).decode("utf-8", "surrogateescape")] = values[0]
    return found


def _picture_in(found, path):
    pictures = [name for name, data in found.items() if decoded_size(bytes(data)) != 0]
    if len(pictures) != 1:
        listed = ", ".join(sorted(found)) or "none"
        raise InputError(
            f"{len(pictures)} features of the first record of {path} are pictures, expected one: choose "
            f"one by --column; it has these with bytes: {listed}"
        )
    return pictures[0]


def _places(file, masked, limit):
    """Yields where the bytes of each record are, (start, size), up to the proven end of the file."""
    end = os.fstat(file.fileno()).st_size
    at, count = 0, 0
    while at < end and count != limit:
        if count == MOST:
            raise Unusable(f"it has more than {MOST} records", "take the first ones by --count")
        file.seek(at)
        header = file.read(_LENGTH.size)
        if len(header) < _LENGTH.size:
            raise Unusable("it was cut off")
        size, checksum = _LENGTH.unpack(header)
        if checksum != masked(header[:8]):
            raise Unusable(f"the record at byte {at} is damaged, or this is no TFRecord file")
        at += _LENGTH.size
        if size + _CHECKSUM.size > end - at:
            raise Unusable("it was cut off")
        yield at, size
        at += size + _CHECKSUM.size
        count += 1


def _parts(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """Yields the fields of a number in a message that have bytes; others are passed over."""
    at = 0
    while at < len(message):
        tag, at = _number(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == 2:
            size, at = _number(message, at)
            if size > len(message) - at:
                raise ValueError("a feature leaves its record")
            if number == wanted:
                yield message[at : at + size]
            at += size
        elif kind == 0:
            _, at = _number(message, at)
        elif kind in {1, 5}:
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"it has a field of the kind {kind}, as features have not")


def _number(message, at):
    """A number of 7 bits a byte, and where it ends."""
    value = 0
    for k in range(10):
        if at + k >= len(message):
            break
        byte = message[at + k]
        value |= (byte & 127) << 7 * k
        if byte < 128:
            return value, at + k + 1
    raise ValueError("a number in it does not end")
