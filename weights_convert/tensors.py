"""Tensors of a PyTorch checkpoint as NumPy arrays."""

import math
from dataclasses import dataclass

import numpy as np

from keras_gahr.errors import InputError

from .pickles import Global
from .quoting import quoted

# The classes of torch storages and how their values lie in the file.
_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


@dataclass(frozen=True, slots=True)
class _Storage:
    values: np.ndarray


class TensorReader:
    """Answers a checkpoint's requests for tensors from its archive.

    Args:
        archive: an `Archive` or a `LegacyFile`.
    """

    def __init__(self, archive):
        self._archive = archive
        self._storages = {}
        # Tensors may share a storage (tied weights), so a small file could ask for any number of
        # copies of a large one. No network needs more than four times the file.
        self._bytes_left = 4 * archive.size

    @property
    def allowed(self):
        """The names that the checkpoint may mention, as `pickles.unpickle` takes them."""
        return _allowed(self._rebuild_tensor, _rebuild_parameter)

    def load_storage(self, persistent_id):
        """The storage that the checkpoint asks for.

        Args:
            persistent_id: ("storage", class, record, device, number of values); in legacy files
                followed by a view of the storage, which must be None.

        Raises:
            InputError: for another persistent id, or if the record has another size.
        """
        kind, key, count = _storage_asked_for(persistent_id)
        if (kind, key) not in self._storages:
            dtype = np.dtype(_DTYPES[kind])
            record = f"data/{key}"
            if self._archive.size_of(record) != count * dtype.itemsize:
                raise InputError(
                    f"its record {quoted(record)} does not hold {quoted(count)} values of {kind}"
                )
            values = np.frombuffer(self._archive.read(record), dtype)
            self._storages[kind, key] = _Storage(_widened(values, kind))
        return self._storages[kind, key]

    def _rebuild_tensor(self, *arguments):
        match arguments:
            case (_Storage(values=values), int(offset), tuple(size), tuple(stride), bool(), _, *_):
                pass
            case _:
                raise InputError("it describes a tensor in an unknown way")
        if len(size) != len(stride) or len(size) > 8:
            raise InputError(f"it has a tensor of {len(size)} axes and {len(stride)} strides")
        if any(type(number) is not int or number < 0 for number in (offset, *size, *stride)):
            raise InputError("it has a tensor with an offset, size or stride that is not a count")
        # Python's integers do not overflow, so claims of any size are compared exactly.
        count = math.prod(size)
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if count > len(values) or (count and last >= len(values)):
            raise InputError("it has a tensor that is larger than its storage or leaves it")
        self._bytes_left -= count * values.itemsize
        if self._bytes_left < 0:
            raise InputError("its tensors claim to be larger than the file")
        if count == 0:
            return np.empty(size, values.dtype)
        # The stride of an axis of length 1 is never used, so it may be anything.
        steps = [step * values.itemsize * (n > 1) for n, step in zip(size, stride, strict=True)]
        return np.lib.stride_tricks.as_strided(values[offset:], size, steps).copy()


class StorageSurvey:
    """Notes which storages a checkpoint asks for, without reading any.

    `sizes` becomes a dictionary record -> (number of values, bytes of each).
    """

    def __init__(self):
        self.sizes = {}
        # Tensors are not wanted yet: None stands for each.
        self.allowed = _allowed(lambda *_: None, lambda *_: None)

    def load_storage(self, persistent_id):
        """As in `TensorReader`, but None.

        Raises:
            InputError: for another persistent id, or for one storage with two sizes.
        """
        kind, key, count = _storage_asked_for(persistent_id)
        size = (count, np.dtype(_DTYPES[kind]).itemsize)
        if self.sizes.setdefault(key, size) != size:
            raise InputError(f"it asks for its record {quoted(key)} in two sizes")


def _allowed(rebuild_tensor, rebuild_parameter):
    return {
        "argparse Namespace": Global(plain=True),
        "collections OrderedDict": Global(call=_ordered_dict),
        "torch._utils _rebuild_tensor_v2": Global(call=rebuild_tensor),
        "torch._utils _rebuild_parameter": Global(call=rebuild_parameter),
        **{f"torch {name}": Global(value=name) for name in _DTYPES},
    }


def _storage_asked_for(persistent_id):
    """(class, record, number of values) of the persistent id of a storage."""
    match persistent_id:
        case ("storage", Global(value=str(kind)), str(key), str(), int(count)):
            return kind, key, count
        case ("storage", Global(value=str(kind)), str(key), str(), int(count), None):
            return kind, key, count
    raise InputError("it asks for something that is no tensor storage")


def _widened(values, kind):
    """Half and bfloat16 as float32, the others unchanged."""
    if kind == "HalfStorage":
        return values.astype(np.float32)
    if kind == "BFloat16Storage":
        # A bfloat16 is the upper half of a float32.
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values


def _ordered_dict(*arguments):
    if arguments:
        raise InputError("it fills an ordered dictionary in an unknown way")
    return {}


def _rebuild_parameter(*arguments):
    match arguments:
        case (np.ndarray() as tensor, bool(), _):
            return tensor
        case _:
            raise InputError("it describes a parameter in an unknown way")
