"""State dicts as files that `torch.load` reads, written without PyTorch."""

import struct
import zipfile

import numpy as np

_FOLDER = "archive"
# PyTorch aligns storages in the file, so that it can map them into memory.
_ALIGNMENT = 64
_LOCAL_HEADER_BYTES = 30
_EXTRA_HEADER_BYTES = 4
_EXTRA_ID = b"FB"


def write_torch_file(path, state):
    """Writes a state dict in the zip format of `torch.save`, as `weights_only=True` accepts it.

    Equal state dicts give equal files.

    Args:
        path: the file, which is replaced.
        state: a dictionary name -> float32 array.

    Raises:
        ValueError: for an array of another type.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        _write_record(archive, "data.pkl", _pickle(state))
        _write_record(archive, "byteorder", b"little")
        for index, array in enumerate(state.values()):
            data = np.ascontiguousarray(array, dtype="<f4").tobytes()
            _write_record(archive, f"data/{index}", data)
        _write_record(archive, "version", b"3\n")


def _write_record(archive, name, data):
    # Its time is always 1980, the default.
    record = zipfile.ZipInfo(f"{_FOLDER}/{name}")
    start = archive.fp.tell() + _LOCAL_HEADER_BYTES + len(record.filename) + _EXTRA_HEADER_BYTES
    padding = -start % _ALIGNMENT
    record.extra = _EXTRA_ID + struct.pack("<H", padding) + b"Z" * padding
    archive.writestr(record, data)


def _pickle(state):
    """The dictionary as a pickle (protocol 2) whose arrays are tensors in the records of the file."""
    parts = [b"\x80\x02", b"}", b"("]
    for index, (name, array) in enumerate(state.items()):
        parts += [_text(name), _tensor(index, array)]
    return b"".join([*parts, b"u", b"."])


def _tensor(index, array):
    if array.dtype != np.float32:
        raise ValueError(f"received an array of {array.dtype}, expected float32")
    strides = [step // 4 for step in np.empty(array.shape, np.float32).strides]
    storage = _tuple(
        [
            _text("storage"),
            _global("torch", "FloatStorage"),
            _text(str(index)),
            _text("cpu"),
            _number(array.size),
        ]
    )
    arguments = [
        storage + b"Q",
        _number(0),
        _tuple(map(_number, array.shape)),
        _tuple(map(_number, strides)),
        b"\x89",  # it requires no gradient
        _global("collections", "OrderedDict") + b")R",  # and has no hooks
    ]
    return _global("torch._utils", "_rebuild_tensor_v2") + _tuple(arguments) + b"R"


def _global(module, name):
    return f"c{module}\n{name}\n".encode()


def _text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _number(value):
    return b"J" + struct.pack("<i", value)


def _tuple(codes):
    return b"(" + b"".join(codes) + b"t"
