"""The resume state in one file, whole or not at all, that is checked when it is read.

The file is in the safetensors format, which holds arrays and text and can execute nothing. Its
metadata holds the record (JSON) and the SHA-256 of the record and of all arrays.
"""

import hashlib
import json
import math
import os

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from keras_gahr.errors import InputError
from keras_gahr.files import check_regular, kind_of, replacing
from keras_gahr.impostors import impostor
from keras_gahr.names import reason_of

_LARGEST_RECORD = 2**26
"""Bytes of the record and the list of arrays; a million epochs take about as much."""


def write_state(path, arrays, record):
    """Writes a state; an older one stays until the new one is on the disk.

    Args:
        path: the `.safetensors` file.
        arrays: a list of NumPy arrays.
        record: plain values, as JSON has them.

    Raises:
        InputError: if it cannot be written.
    """
    text = json.dumps(record)
    arrays = [np.ascontiguousarray(array).reshape(array.shape) for array in arrays]
    metadata = {"record": text, "sha256": _digest(text, arrays)}
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(save({f"{i:05}": array for i, array in enumerate(arrays)}, metadata))
        file.flush()
        # Before the name is changed, or a power cut could leave an empty file.
        os.fsync(file.fileno())


def state_size(path):
    """Bytes of the file of a state; raises `InputError` if it is missing or no file."""
    if kind_of(path) == "missing":
        if kind_of(path.parent / "model.keras") != "missing":
            raise InputError(
                f"{path} is not there, and {path.parent / 'model.keras'} alone is no training that could go "
                "on: begin a new run from it with --start-from"
            )
        raise InputError(
            f"{path} is not there: the training was stopped before its first state was kept; "
            "start it anew with --overwrite"
        )
    if not os.access(path, os.R_OK):
        # What the library says of it is that the file is not there.
        raise InputError(f"{path} cannot be read: permission denied")
    return check_regular(path, "the state of a run").stat().st_size


def read_state(path, largest=math.inf):
    """The arrays and the record in a file that `write_state` wrote.

    Args:
        path: of the file.
        largest: bytes that its arrays may take.

    Raises:
        InputError: if it is missing, damaged or larger.
    """
    size = state_size(path)
    with open(path, "rb") as file:
        # The length of the list of arrays and the record, which safetensors reads as a whole.
        described = int.from_bytes(file.read(8), "little")
    if described > _LARGEST_RECORD and described <= size:
        raise damaged(path, f"a record of {described} bytes")
    if size > largest + _LARGEST_RECORD:
        raise damaged(path, f"its {size} bytes are more than a training of this network keeps")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = [file.get_tensor(name) for name in sorted(file.keys())]
        text = metadata["record"]
        intact = metadata["sha256"] == _digest(text, arrays)
        record = json.loads(text)
    except Exception as error:  # Whatever the damaged part happened to cause.
        raise impostor(path, "a state") or damaged(path, reason_of(error)) from error
    if not intact:
        raise damaged(path, "its checksum does not match")
    return arrays, record


def largest_state(values):
    """Bytes that the arrays of a state take at most, for a network of so many values.

    The optimizer keeps up to two for each of them, and its average a third.
    """
    return 8 * (4 * values) + _LARGEST_RECORD


def damaged(path, reason):
    """The `InputError` for a state that cannot be used."""
    return InputError(
        f"{path} is damaged ({reason[:100]}): put back a copy of it, or start anew from the last "
        "model with --start-from model.keras"
    )


def _digest(text, arrays):
    digest = hashlib.sha256(text.encode())
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
