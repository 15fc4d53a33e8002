"""Columns of pictures in Parquet and Arrow files, as the data sets of the Hugging Face Hub have them.

They are read by PyArrow, row by row: of a file no more than a page or a record batch is in memory. What
they declare is compared with what they hold before it is unpacked.
"""

import contextlib
import struct
from os import PathLike
from pathlib import Path

from keras_gahr.errors import InputError
from keras_gahr.names import reason_of

from .entries import Entries, most_inflated
from .rows import Rows, row_names

PARQUET, ARROW_FILE = b"PAR1", b"ARROW1\0\0"
_STREAM = b"\xff\xff\xff\xff"

_PART = 2**20
"""Bytes that are read at a time."""

_MOST_GROUPS = 2**20

_FIELD = "bytes"
"""Of a column of pictures as the library `datasets` writes it: the file; beside it stands its path."""


def is_table(start: bytes) -> bool:
    """Whether a file with these first bytes is a Parquet file, an Arrow file or an Arrow stream."""
    return start.startswith((PARQUET, ARROW_FILE, _STREAM))


def read_table(
    path: str | PathLike,
    stack: contextlib.ExitStack,
    column: str | None = None,
    limit: int | None = None,
) -> Entries:
    """The pictures in a column as `Entries`, whose names are the numbers of the rows.

    Args:
        path: a file of which `is_table` is true.
        stack: closes what is opened.
        column: the name of the column; by default the only one that can hold pictures.
        limit: how many rows are needed; None for all.

    Raises:
        InputError: if the file is damaged or has no such column, or PyArrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            f"{path} is a Parquet or Arrow file: install PyArrow, pip install 'keras-gahr[arrow]'"
        ) from error
    with open(path, "rb") as file:
        is_parquet = file.read(len(PARQUET)) == PARQUET
    with _damage_named(path):
        opened = _open_parquet if is_parquet else _open_arrow
        rows = opened(pyarrow, Path(path), stack, column)
        names = row_names(len(rows), limit, path)

    def read(name):
        with _damage_named(path):
            return rows.read(name)

    return Entries(names, {}, {}, read)


def _open_parquet(pyarrow, path, stack, column):
    # Without a size of buffers, all of a group's column would be read at once.
    file = stack.enter_context(
        pyarrow.parquet.ParquetFile(path, buffer_size=_PART, pre_buffer=False)
    )
    found, in_struct = _picture_column(pyarrow, file.schema_arrow, column, path)
    wanted = f"{found}.{_FIELD}" if in_struct else found
    metadata = file.metadata
    counts = []
    for group in range(metadata.num_row_groups):
        facts = metadata.row_group(group)
        counts.append(facts.num_rows)
        for k in range(facts.num_columns):
            part = facts.column(k)
            if part.path_in_schema == wanted:
                _check_inflation(part.total_compressed_size, part.total_uncompressed_size, path)
    if min(counts, default=0) < 0:
        raise InputError(f"{path} is damaged: a number of rows is negative")

    def values(group):
        # One row at a time: a value that is repeated is stored once, and would be copied for each row.
        for batch in file.iter_batches(1, [group], columns=[wanted], use_threads=False):
            yield from _values(batch, batch.schema.names[0], in_struct)

    return Rows(counts, values, path)


def _open_arrow(pyarrow, path, stack, column):
    source = stack.enter_context(pyarrow.memory_map(str(path)))
    batches = _Batches(pyarrow, source)
    found, in_struct = _picture_column(pyarrow, batches.schema, column, path)

    def values(group):
        return _values(batches[group], found, in_struct)

    return Rows(batches.counts, values, path)


class _Batches:
    """The record batches of an Arrow file or stream, which lie in a memory map.

    Args:
        source: a `pyarrow.MemoryMappedFile`.

    Attributes:
        schema: a `pyarrow.Schema`.
        counts: the number of rows of each.
    """

    def __init__(self, pyarrow, source):
        self._ipc, self._source = pyarrow.ipc, source
        # What a file adds to a stream, for those who seek in it, is not needed.
        self._start = len(ARROW_FILE) if source.read(len(ARROW_FILE)) == ARROW_FILE else 0
        self._check_messages()
        self._at, self._reader = 0, self._stream()
        self.schema = self._reader.schema
        self.counts = [batch.num_rows for batch in self._reader]
        self._at = len(self.counts)

    def __getitem__(self, index):
        if index < self._at:
            self._at, self._reader = 0, self._stream()
        while self._at < index:
            self._reader.read_next_batch()
            self._at += 1
        self._at += 1
        batch = self._reader.read_next_batch()
        # What it says of places in itself is otherwise believed.
        batch.validate(full=True)
        return batch

    def _stream(self):
        self._source.seek(self._start)
        return self._ipc.open_stream(self._source)

    def _check_messages(self):
        """Compares how large compressed batches say that they are with what they hold."""
        self._source.seek(self._start)
        for _ in range(_MOST_GROUPS):
            try:
                message = self._ipc.read_message(self._source)
            except EOFError:
                return
            sizes = list(_inflated_sizes(message))
            if sizes:
                _check_inflation(message.body.size, sum(sizes), "a record batch")
        raise InputError(f"it has more than {_MOST_GROUPS} record batches")


def _picture_column(pyarrow, schema, column, path):
    """The name of the column with pictures, and whether these are in a field of it."""
    found = {}
    for field in schema:
        if _is_binary(pyarrow, field.type):
            found[field.name] = False
        elif pyarrow.types.is_struct(field.type):
            fields = {inner.name: inner.type for inner in field.type}
            if _FIELD in fields and _is_binary(pyarrow, fields[_FIELD]):
                found[field.name] = True
    listed = ", ".join(sorted(found)) or "none"
    if column is not None:
        if column not in found:
            raise InputError(
                f"{path} has no column {column!r} with the bytes of pictures: it has {listed}"
            )
        return column, found[column]
    if len(found) != 1:
        raise InputError(
            f"{path} has {len(found)} columns that may hold pictures ({listed}), expected one"
            + ("; choose one by --column" if found else "")
        )
    return next(iter(found.items()))


def _is_binary(pyarrow, kind):
    types = pyarrow.types
    return types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)


def _values(batch, name, in_struct):
    column = batch.column(name)
    if in_struct:
        # Of a row without a struct, this has no value either.
        column = column.flatten()[column.type.get_field_index(_FIELD)]
    for value in column:
        yield value.as_buffer() if value.is_valid else None


def _check_inflation(packed, size, name):
    if packed < 0 or size > most_inflated(packed):
        raise InputError(
            f"{name} would be inflated from {packed} to {size} bytes, as no pictures are: if you trust it, "
            "save it without compression"
        )


# Which entry of the table of a message is its header; of a batch of dictionaries, its record batch; of
# this, its buffers and how they are compressed.
_HEADER, _DATA, _BUFFERS, _COMPRESSION = 2, 1, 2, 3


def _inflated_sizes(message):
    """Yields the sizes that the buffers of a compressed record batch say they are inflated to.

    The message is a FlatBuffer (`Message.fbs` of Arrow), in which PyArrow shows neither.
    """
    if message.type not in {"record batch", "dictionary"}:
        return
    data, body = message.metadata.to_pybytes(), message.body
    batch = _table(data, _entry(data, _table(data, 0), _HEADER))
    if message.type == "dictionary":
        batch = _table(data, _entry(data, batch, _DATA))
    if _entry(data, batch, _COMPRESSION) is None:
        return
    buffers = _table(data, _entry(data, batch, _BUFFERS))
    [count] = struct.unpack_from("<I", data, buffers)
    for k in range(count):
        offset, length = struct.unpack_from("<qq", data, buffers + 4 + 16 * k)
        if length:
            [size] = struct.unpack_from("<q", body, offset)
            if size < -1:
                raise ValueError("a buffer has a negative size")
            # -1: this one was left as it is.
            yield length if size == -1 else size


def _table(data, place):
    """Where the table is to which there is a reference."""
    return place + struct.unpack_from("<I", data, place)[0]


def _entry(data, table, index):
    """Where an entry of a table is, or None if it has the default value."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    [size] = struct.unpack_from("<H", data, vtable)
    if 4 + 2 * index >= size:
        return None
    [offset] = struct.unpack_from("<H", data, vtable + 4 + 2 * index)
    return table + offset if offset else None


@contextlib.contextmanager
def _damage_named(path):
    """One line for whatever PyArrow says of a damaged file."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or reason_of(error)}") from error
    except Exception as error:  # PyArrow raises whatever the damaged part happened to cause.
        raise InputError(f"{path} is damaged: {reason_of(error)}; get it again") from error
