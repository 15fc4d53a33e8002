"""Checkpoints for tests, written without PyTorch."""

import io
import pickle
import struct
import zipfile

import numpy as np


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value):
    """Pickle code of an integer of up to 254 bytes."""
    data = pickle.encode_long(value)
    return b"\x8a" + bytes([len(data)]) + data


def tuple_of(*codes):
    return b"(" + b"".join(codes) + b"t"


def call(name, *codes):
    """Pickle code of `name(*codes)`, `name` as in "os.system"."""
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode() + tuple_of(*codes) + b"R"


def storage(key, count, kind="FloatStorage"):
    return (
        tuple_of(text("storage"), f"ctorch\n{kind}\n".encode(), text(key), text("cpu"),
                 number(count)) + b"Q"
    )  # fmt: skip


def tensor(store, size, stride, offset=0):
    numbers = [tuple_of(*map(number, axes)) for axes in (size, stride)]
    return call("torch._utils._rebuild_tensor_v2", store, number(offset), *numbers, b"\x89", b"}")


def dictionary(items):
    return b"}(" + b"".join(text(key) + code for key, code in items) + b"u"


def pickled(code):
    return b"\x80\x02" + code + b"."


def archive(code, records=None, compression=zipfile.ZIP_STORED, folder="archive"):
    """The bytes of a checkpoint with this pickle and these further records."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as zip_file:
        zip_file.writestr(f"{folder}/data.pkl", pickled(code))
        for name, data in (records or {}).items():
            zip_file.writestr(f"{folder}/{name}", data)
    return file.getvalue()


def checkpoint(state):
    """The bytes of a checkpoint of a state dict of arrays."""
    kinds = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}
    items, records = [], {"byteorder": b"little"}
    for i, (name, array) in enumerate(state.items()):
        array = np.ascontiguousarray(array)
        strides = [step // array.itemsize for step in array.strides]
        store = storage(str(i), array.size, kinds[array.dtype.str[1:]])
        items.append((name, tensor(store, array.shape, strides)))
        records[f"data/{i}"] = array.tobytes()
    return archive(dictionary(items), records)
