"""The format in which PyTorch saved checkpoints before version 1.6, read with suspicion."""

import io
import struct

from keras_gahr.errors import InputError
from keras_gahr.pickles import unpickle
from keras_gahr.quoting import quoted

from .tensors import REBUILD, Storage, storage_asked_for

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
# Where the file says how many values a storage has; old versions of PyTorch on big-endian machines: the
# other way round.
_COUNT, _BIG_COUNT = struct.Struct("<q"), struct.Struct(">q")


class LegacyFile:
    """The records of an open file that an old `torch.save` wrote, or a new one by request.

    Five pickles follow each other - a magic number, a version, facts on the machine, the value
    itself, the keys of its storages - and then each storage: the number of its values and the
    values. How long a storage is stands in the fourth pickle too, and the two must agree.

    The records have names as in an `Archive`: `data/KEY` is a storage.

    Args:
        file: open for reading bytes.
        most_pickle_bytes: how many bytes all pickles together may have.

    Attributes:
        root: the value.
        size: bytes of the file.
        byte_order: "<", of the numbers in the storages: big-endian machines turn them round.

    Raises:
        InputError: if it is damaged or such as `torch.save` does not write.
    """

    byte_order = "<"

    def __init__(self, file, most_pickle_bytes):
        self.size = file.seek(0, 2)
        file.seek(0)
        self._file = file
        pickles = io.BytesIO(file.read(min(most_pickle_bytes, self.size)))
        if _plain(pickles) != _MAGIC:
            raise InputError("it is a pickle, but not one of torch.save")
        version = _plain(pickles)
        if version != _PROTOCOL:
            said = quoted(version) if type(version) is int else f"a {type(version).__name__}"
            raise InputError(f"its version is {said}, expected {_PROTOCOL}")
        self._is_big = _is_big(_plain(pickles))
        self._storages = {}
        self.root = unpickle(pickles, REBUILD, self._note_storage)
        self._records = {}
        self._find_storages(_plain(pickles), pickles.tell())

    def _note_storage(self, persistent_id):
        storage = storage_asked_for(persistent_id)
        if type(storage) is Storage and self._storages.setdefault(storage.key, storage) != storage:
            raise InputError(f"it asks for its record {quoted(storage.key)} in two sizes")
        return storage

    def _find_storages(self, keys, place):
        if type(keys) is not list or any(type(key) is not str for key in keys):
            raise InputError("its storages have keys that are no list of names")
        for key in keys:
            record = f"data/{key}"
            if record in self._records or key not in self._storages:
                raise InputError(f"it has a storage {quoted(key)} that it does not need")
            storage = self._storages[key]
            self._file.seek(place)
            header = self._file.read(_COUNT.size)
            if len(header) < _COUNT.size:
                raise InputError("it is truncated")
            (count,) = _COUNT.unpack(header)
            if self._is_big and count != storage.count:
                (count,) = _BIG_COUNT.unpack(header)
            if count != storage.count or count < 0:
                raise InputError(
                    f"its storage {quoted(key)} has {count} values, expected {storage.count}"
                )
            place += _COUNT.size
            self._records[record] = (place, storage.nbytes)
            place += storage.nbytes
            if place > self.size:
                raise InputError("it is truncated")
        if place != self.size:
            raise InputError("it goes on after its last storage")

    def size_of(self, name):
        """Bytes of a record.

        Raises:
            InputError: if there is none of this name.
        """
        if name not in self._records:
            raise InputError(f"it has no record {quoted(name)}")
        return self._records[name][1]

    def read(self, name):
        """The bytes of a record.

        Raises:
            InputError: if there is none of this name.
        """
        size = self.size_of(name)
        self._file.seek(self._records[name][0])
        data = self._file.read(size)
        if len(data) != size:
            raise InputError(f"its record {quoted(name)} is truncated")
        return data


def _plain(file):
    """The value of a pickle that may hold no names."""
    return unpickle(file, {}, _no_persistent)


def _no_persistent(persistent_id):
    raise InputError("it asks for a storage where it should not")


def _is_big(facts):
    """Whether the machine was big-endian that wrote the file."""
    if type(facts) is not dict or type(facts.get("little_endian")) is not bool:
        raise InputError("it does not say whether its machine was little-endian")
    return not facts["little_endian"]
