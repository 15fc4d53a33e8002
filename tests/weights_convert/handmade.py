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


def storage(key, count, kind="FloatStorage", view=b""):
    """A storage; `view` is the code of one more item, which legacy files have."""
    kind = f"ctorch\n{kind}\n".encode()
    return tuple_of(text("storage"), kind, text(key), text("cpu"), number(count), view) + b"Q"


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
        array = np.asarray(array, order="C")
        strides = [step // array.itemsize for step in array.strides]
        store = storage(str(i), array.size, kinds[array.dtype.str[1:]])
        items.append((name, tensor(store, array.shape, strides)))
        records[f"data/{i}"] = array.tobytes()
    return archive(dictionary(items), records)


def made(name, attributes=b"}"):
    """Pickle code of an object of the class `name` with these attributes."""
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode() + b")\x81" + attributes + b"b"


MAGIC = pickled(number(0x1950A86A20F9469CFC6C))
VERSION = pickled(number(1001))
MACHINE = pickled(dictionary([("protocol_version", number(1001)), ("little_endian", b"\x88")]))


def legacy(code, storages=(), keys=None, start=MAGIC + VERSION + MACHINE):
    """The bytes of a legacy checkpoint.

    Args:
        code: of the value.
        storages: (key, number of values, bytes) of each, as the file has them.
        keys: code of the list of keys; made of `storages` unless given.
        start: the first three pickles.
    """
    if keys is None:
        keys = b"](" + b"".join(text(key) for key, _, _ in storages) + b"e"
    data = b"".join(struct.pack("<q", count) + values for _, count, values in storages)
    return start + pickled(code) + pickled(keys) + data
