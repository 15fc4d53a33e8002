"""The zip archive of a PyTorch checkpoint, read with suspicion."""

import struct
import zipfile
import zlib

from keras_gahr.errors import InputError
from keras_gahr.quoting import quoted

# What zipfile raises for archives that are damaged or use features that torch.save does not.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    struct.error,
    ValueError,
    zlib.error,
)
# 100 bytes for each record.
_MOST_DIRECTORY_BYTES = 8 * 2**20
# Archives that somebody packed anew: weights hardly shrink, zeros and the pickle do. What all reads
# together may give, in sizes of the file, and in bytes for small ones.
_MOST_INFLATION = 8
_ALWAYS_INFLATED = 4 * 2**20
_ENCRYPTED = 0x1
_BYTE_ORDERS = {b"little": "<", b"big": ">"}


class Archive:
    """The records of an open file that `torch.save` wrote: `data.pkl` and one for each storage.

    `torch.save` stores records uncompressed, so together they are never larger than the file; an
    archive that claims more is refused before anything of it is read. One that was unpacked and
    packed anew may be compressed; no more is inflated of it than a few times its size.

    Attributes:
        size: bytes of the file, and of what may be inflated of it.
        byte_order: "<" or ">", of the numbers in the records of storages.

    Raises:
        InputError: if it is damaged or such as `torch.save` does not write.
    """

    def __init__(self, file):
        file_size = file.seek(0, 2)
        try:
            with _SmallReads(file) as guarded:
                self._zip = zipfile.ZipFile(guarded)
        except InputError:
            raise
        except _ZIP_ERRORS as error:
            raise InputError("its zip archive is damaged or truncated") from error
        self._records = {}
        for record in self._zip.infolist():
            self._check(record)
            self._records[record.filename] = record
        stored, compressed = self._sizes()
        if stored > file_size:
            raise InputError("its records claim to be larger than the file")
        self._inflation_left = max(_MOST_INFLATION * file_size, _ALWAYS_INFLATED)
        self.size = file_size + min(compressed, self._inflation_left)
        self._folder = self._find_folder()
        self.byte_order = self._find_byte_order()

    def _check(self, record):
        name = record.filename
        if name in self._records:
            raise InputError(f"it has the record {quoted(name)} twice")
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise InputError(f"its record {quoted(name)} leaves the archive")
        if record.flag_bits & _ENCRYPTED:
            raise InputError(f"its record {quoted(name)} is encrypted: torch.save never does that")
        if record.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(
                f"its record {quoted(name)} is compressed by another method than deflate: "
                "torch.save never does that"
            )
        if record.compress_type == zipfile.ZIP_STORED and record.file_size != record.compress_size:
            raise InputError(f"its record {quoted(name)} is stored in another size than its own")

    def _sizes(self):
        """Bytes of the records that are stored, and of those that are compressed, as declared."""
        sizes = {zipfile.ZIP_STORED: 0, zipfile.ZIP_DEFLATED: 0}
        for record in self._records.values():
            sizes[record.compress_type] += record.file_size
        return sizes[zipfile.ZIP_STORED], sizes[zipfile.ZIP_DEFLATED]

    def _find_folder(self):
        folders = [
            name.removesuffix("data.pkl")
            for name in self._records
            if name.endswith("/data.pkl") and name.count("/") == 1
        ]
        if len(folders) != 1:
            raise InputError("it is a zip archive, but not one of torch.save")
        return folders[0]

    def _find_byte_order(self):
        if "byteorder" not in self:
            return "<"
        order = self.read("byteorder") if self.size_of("byteorder") < 10 else b""
        if order not in _BYTE_ORDERS:
            raise InputError("its record 'byteorder' is neither little nor big")
        return _BYTE_ORDERS[order]

    def __contains__(self, name):
        return self._folder + name in self._records

    def size_of(self, name):
        """Bytes of a record.

        Raises:
            InputError: if there is none of this name.
        """
        if name not in self:
            raise InputError(f"it has no record {quoted(name)}")
        return self._records[self._folder + name].file_size

    def read(self, name):
        """The bytes of a record, checked against their CRC.

        Raises:
            InputError: if there is none of this name, if it is damaged, or if it is compressed and
                too much would have been inflated with it.
        """
        size = self.size_of(name)
        record = self._records[self._folder + name]
        if record.compress_type != zipfile.ZIP_STORED:
            self._inflation_left -= size
            if self._inflation_left < 0:
                raise InputError(
                    f"its record {quoted(name)} is compressed, and together they claim to be more "
                    f"than {_MOST_INFLATION} times the file"
                )
        try:
            with self._zip.open(record) as file:
                data = file.read(size)
                # At its end the CRC is checked.
                file.read(1)
        except _ZIP_ERRORS as error:
            raise InputError(f"its record {quoted(name)} is damaged or truncated") from error
        if len(data) != size:
            raise InputError(f"its record {quoted(name)} is truncated")
        return data


class _SmallReads:
    """An open file that refuses to be read in large pieces, as a giant directory would be, in `with`."""

    def __init__(self, file):
        self._file = file
        self._most = None

    def __enter__(self):
        self._most = _MOST_DIRECTORY_BYTES
        return self

    def __exit__(self, *_):
        self._most = None

    def read(self, count=-1):
        if self._most is None:
            return self._file.read(count)
        data = self._file.read(self._most + 1 if count < 0 else min(count, self._most + 1))
        if len(data) > self._most:
            raise InputError(
                "the directory of its zip archive is larger than that of any checkpoint"
            )
        return data

    def __getattr__(self, name):
        return getattr(self._file, name)
