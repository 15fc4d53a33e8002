"""The zip archive of a PyTorch checkpoint, read with suspicion."""

import struct
import zipfile

from keras_gahr.errors import InputError

from .quoting import quoted

# What zipfile raises for archives that are damaged or use features that torch.save does not.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    struct.error,
    ValueError,
)


class Archive:
    """The records of an open file that `torch.save` wrote: `data.pkl` and one for each storage.

    `torch.save` stores records uncompressed, so together they are never larger than the file; an
    archive that claims more is refused before anything of it is read.

    Raises:
        InputError: if it is damaged or such as `torch.save` does not write.
    """

    def __init__(self, file):
        self.size = file.seek(0, 2)
        try:
            self._zip = zipfile.ZipFile(file)
        except _ZIP_ERRORS as error:
            raise InputError("its zip archive is damaged or truncated") from error
        self._records = {}
        for record in self._zip.infolist():
            self._check(record)
            self._records[record.filename] = record
        if sum(record.file_size for record in self._records.values()) > self.size:
            raise InputError("its records claim to be larger than the file")
        self._folder = self._find_folder()
        if "byteorder" in self and self.read("byteorder") != b"little":
            raise InputError(
                "its numbers are not little-endian: save it on a little-endian machine"
            )

    def _check(self, record):
        name = record.filename
        if name in self._records:
            raise InputError(f"it has the record {quoted(name)} twice")
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise InputError(f"its record {quoted(name)} leaves the archive")
        if record.compress_type != zipfile.ZIP_STORED or record.file_size != record.compress_size:
            raise InputError(f"its record {quoted(name)} is compressed: torch.save never does that")

    def _find_folder(self):
        folders = [
            name.removesuffix("data.pkl")
            for name in self._records
            if name.endswith("/data.pkl") and name.count("/") == 1
        ]
        if len(folders) != 1:
            raise InputError("it is a zip archive, but not one of torch.save")
        return folders[0]

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
            InputError: if there is none of this name or if it is damaged.
        """
        size = self.size_of(name)
        try:
            data = self._zip.read(self._records[self._folder + name])
        except _ZIP_ERRORS as error:
            raise InputError(f"its record {quoted(name)} is damaged or truncated") from error
        if len(data) != size:
            raise InputError(f"its record {quoted(name)} is truncated")
        return data
