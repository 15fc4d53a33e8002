"""Tensors of a PyTorch checkpoint: what its pickle says of them, and their values as NumPy arrays."""

import math
from dataclasses import dataclass

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.pickles import Global, Made
from keras_gahr.quoting import quoted

# The classes of torch storages and how their values lie in the file.
_FORMATS = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "BFloat16Storage": "u2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
    "ComplexFloatStorage": "c8",
    "ComplexDoubleStorage": "c16",
    "QInt8Storage": "i1",
    "QUInt8Storage": "u1",
    "QInt32Storage": "i4",
    "QUInt4x2Storage": "u1",
    "QUInt2x4Storage": "u1",
    "UntypedStorage": "u1",
}
# The types of tensors in storages that have none.
_TYPES = {
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
}
# No number that counts anything has more.
_MOST_BITS = 63
# What NumPy can have.
_MOST_AXES = 32


@dataclass(frozen=True, slots=True)
class Storage:
    """The values that tensors share, in a record of the file.

    Args:
        kind: class of PyTorch, as in "FloatStorage".
        key: of the record `data/KEY`.
        count: how many values it has.
    """

    kind: str
    key: str
    count: int

    @property
    def nbytes(self):
        return self.count * np.dtype(_FORMATS[self.kind]).itemsize


@dataclass(frozen=True, slots=True)
class TensorView:
    """A tensor that has not been read.

    Args:
        storage: a `Storage`.
        kind: class of the storage of such values: that of `storage`, unless that has none.
        offset, shape, strides: in values.
    """

    storage: Storage
    kind: str
    offset: int
    shape: tuple
    strides: tuple

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def dtype(self):
        """Of the array that it becomes."""
        if self.kind in ("HalfStorage", "BFloat16Storage"):
            return np.dtype(np.float32)
        return np.dtype(_FORMATS[self.kind])

    @property
    def nbytes(self):
        """Of the array that it becomes."""
        return math.prod(self.shape) * self.dtype.itemsize


def storage_asked_for(persistent_id):
    """The `Storage` of a persistent id.

    Args:
        persistent_id: ("storage", class, record, device, number of values); in legacy files
            followed by a view of the storage, which must be None. Legacy files of whole modules also
            have ("module", class, file, source), and the class is the answer.

    Raises:
        InputError: for another persistent id.
    """
    match persistent_id:
        case ("storage", Global(name=name), str(key), str(), int(count), *view) if view in (
            [],
            [None],
        ):
            kind = name.rpartition(".")[2]
            if name.startswith("torch.") and kind in _FORMATS and count.bit_length() <= _MOST_BITS:
                return Storage(kind, key, count)
            if name.startswith("torch.") and kind in _FORMATS:
                raise InputError(f"its storage {quoted(key)} does not hold that many values")
        case ("module", Global() as kind, str() | None, str() | None):
            return kind
    raise InputError("it asks for something that is no tensor storage")


def _rebuild_tensor(arguments):
    match arguments:
        case (Storage() as storage, offset, tuple(shape), tuple(strides)):
            return _view(storage, storage.kind, offset, shape, strides)
    raise InputError("it describes a tensor in an unknown way")


def _rebuild_tensor_v2(arguments):
    match arguments:
        case (Storage(), int(), tuple(), tuple(), bool(), _):
            return _rebuild_tensor(arguments[:4])
        case (Storage(), int(), tuple(), tuple(), bool(), _, metadata):
            # Bits that change the values: torch takes the negative or the conjugate.
            return None if metadata else _rebuild_tensor(arguments[:4])
    raise InputError("it describes a tensor in an unknown way")


def _rebuild_tensor_v3(arguments):
    match arguments:
        case (
            Storage() as storage,
            offset,
            tuple(shape),
            tuple(strides),
            bool(),
            _,
            Global(name),
            *_,
        ):
            kind = _TYPES.get(name.removeprefix("torch."))
            return kind and _view(storage, kind, offset, shape, strides)
    raise InputError("it describes a tensor in an unknown way")


def _rebuild_quantized(arguments):
    match arguments:
        case (Storage() as storage, offset, tuple(shape), tuple(strides), *_):
            return _view(storage, storage.kind, offset, shape, strides)
    raise InputError("it describes a quantized tensor in an unknown way")


def _rebuild_parameter(arguments):
    match arguments:
        case (TensorView() | Made() as tensor, bool(), _) | (
            TensorView() | Made() as tensor,
            bool(),
            _,
            _,
        ):
            return tensor
    raise InputError("it describes a parameter in an unknown way")


def _rebuild_from_type(arguments):
    match arguments:
        # Tensors of other classes, and those that were given attributes.
        case (Global(name), _, tuple(inner), _) if name in REBUILD and name != _FROM_TYPE:
            return REBUILD[name](inner)
    return None


_FROM_TYPE = "torch._tensor._rebuild_from_type_v2"

REBUILD = {
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor_v2,
    "torch._utils._rebuild_tensor_v3": _rebuild_tensor_v3,
    "torch._utils._rebuild_qtensor": _rebuild_quantized,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": _rebuild_parameter,
    _FROM_TYPE: _rebuild_from_type,
}
"""The functions that pickles make tensors with, as `unpickle` takes them: all give a `TensorView`."""


def _view(storage, kind, offset, shape, strides):
    """The `TensorView`; None if it has more axes than NumPy can have.

    Raises:
        InputError: if its numbers are no counts.
    """
    if len(shape) != len(strides):
        raise InputError(f"it has a tensor of {len(shape)} axes and {len(strides)} strides")
    if len(shape) > _MOST_AXES:
        return None
    # The stride of an axis of length 1 is never used, so it may be anything.
    strides = tuple(0 if n == 1 else step for n, step in zip(shape, strides, strict=True))
    if any(
        type(n) is not int or n < 0 or n.bit_length() > _MOST_BITS
        for n in (offset, *shape, *strides)
    ):
        raise InputError("it has a tensor with an offset, size or stride that is not a count")
    return TensorView(storage, kind, offset, shape, strides)


def load_tensors(views, records):
    """The values of tensors.

    Args:
        views: a dictionary name -> `TensorView`.
        records: an `Archive` or a `LegacyFile`.

    Returns:
        A dictionary name -> array, contiguous; half and bfloat16 become float32.

    Raises:
        InputError: before anything is read, if a record has another size than its storage, if a
            tensor leaves its storage or is quantized, or if all together are larger than four times
            the file; or if a record is damaged.
    """
    # Tensors may share a storage (tied weights) or repeat its values (expanded ones), so a small
    # file could ask for any number of copies. No network needs more than four times the file.
    bytes_left = 4 * records.size
    for name, view in views.items():
        if view.kind.startswith("Q"):
            raise InputError(
                f"its tensor {quoted(name)} is quantized ({view.kind}), expected floating point: "
                "save the network as it was before"
            )
        _check_within_storage(view, records)
        bytes_left -= view.nbytes
        if bytes_left < 0:
            raise InputError("its tensors claim to be larger than the file")
    storages = {}
    return {name: _load(view, records, storages) for name, view in views.items()}


def _check_within_storage(view, records):
    storage = view.storage
    if records.size_of(_record(storage)) != storage.nbytes:
        raise InputError(
            f"its record {quoted(_record(storage))} does not hold {storage.count} values of "
            f"{storage.kind}"
        )
    held = storage.nbytes // np.dtype(_FORMATS[view.kind]).itemsize
    # Python's integers do not overflow, so claims of any size are compared exactly.
    last = view.offset + sum((n - 1) * s for n, s in zip(view.shape, view.strides, strict=True))
    if math.prod(view.shape) and last >= held:
        raise InputError("it has a tensor that leaves its storage")
    # NumPy has no empty arrays either of which the other axes are too long.
    if math.prod(max(n, 1) for n in view.shape).bit_length() > _MOST_BITS - 4:
        raise InputError("it has a tensor that is larger than any memory")


def _record(storage):
    return f"data/{storage.key}"


def _load(view, records, storages):
    storage, kind = view.storage, view.kind
    if (storage, kind) not in storages:
        dtype = np.dtype(records.byte_order + _FORMATS[kind])
        data = records.read(_record(storage))
        values = np.frombuffer(data, dtype, count=len(data) // dtype.itemsize)
        storages[storage, kind] = _widened(values, kind)
    values = storages[storage, kind]
    if 0 in view.shape:
        return np.empty(view.shape, values.dtype)
    steps = [step * values.itemsize for step in view.strides]
    return np.lib.stride_tricks.as_strided(values[view.offset :], view.shape, steps).copy()


def _widened(values, kind):
    """Half and bfloat16 as float32, the others unchanged; all in the byte order of this machine."""
    if kind == "HalfStorage":
        return values.astype(np.float32)
    if kind == "BFloat16Storage":
        # A bfloat16 is the upper half of a float32.
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(values.dtype.newbyteorder("="), copy=False)
