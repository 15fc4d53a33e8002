"""The batches of CIFAR-10 and CIFAR-100, for programs in C and for Python: images of 32 x 32 in colour.

Those for Python are pickles, of which nothing is executed: see `keras_gahr.pickles`.
"""

import re
import threading
from collections.abc import Callable, Sequence

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.impostors import START, impostor_from
from keras_gahr.pickles import Key, Made, unpickle

from .entries import Entries
from .netpbm import as_ppm

_SIDE = 32
_PIXELS = 3 * _SIDE * _SIDE

# How many values each of the bytes before an image may have: the class; or the coarse and the fine one.
_LABELS = ((10,), (20, 100))

_LARGEST_PICKLE = 2**28
"""Bytes. That of the 50,000 training images of CIFAR-100 has 155 million."""

_BATCH = re.compile(r"(.*/)?(data_batch_[0-9]+|test_batch|train|test)(\.bin)?", re.DOTALL)


def is_batch(name: str) -> bool:
    """Whether a file is called like a batch of CIFAR."""
    return _BATCH.fullmatch(name) is not None


def read_batches(names: Sequence[str], read: Callable[[str], bytes]) -> Entries:
    """The images in batches as `Entries`; one batch is in memory at a time.

    Args:
        names: of the batches.
        read: from a name to the bytes.

    Returns:
        Names are those of the batch and the number of the image; each is read as a PPM picture.

    Raises:
        InputError: if something is no such batch.
    """
    lock = threading.Lock()
    held: dict[str, np.ndarray] = {}

    def images_of(name):
        if name not in held:
            held.clear()
            held[name] = images_in(read(name), name)
        return held[name]

    files = [f"{name}/{k:05}" for name in names for k in range(len(images_of(name)))]

    def read_one(name):
        batch, _, k = name.rpartition("/")
        with lock:
            planes = images_of(batch)[int(k)]
        return as_ppm(planes.reshape(3, _SIDE, _SIDE).transpose(1, 2, 0))

    return Entries(files, {}, {}, read_one)


def images_in(data: bytes, name: str) -> np.ndarray:
    """The images in a batch, uint8 (N, 3072): the planes of red, green and blue, row by row.

    Args:
        data: all bytes of the file.
        name: what errors call it.

    Raises:
        InputError: if it is no batch of CIFAR.
    """
    if data[:1] == b"\x80":
        try:
            return _unpickled(data)
        except InputError as error:
            raise InputError(
                f"{name} cannot be used as a batch of CIFAR for Python: {error}"
            ) from error
    for limits in _LABELS:
        if data and len(data) % (len(limits) + _PIXELS) == 0:
            rows = np.frombuffer(data, np.uint8).reshape(-1, len(limits) + _PIXELS)
            labels, images = np.split(rows, [len(limits)], axis=1)
            if (labels < limits).all():
                return images
    raise impostor_from(data[:START], name, "a batch of CIFAR") or InputError(
        f"{name} is not a batch of CIFAR: {len(data)} bytes are not images of {_PIXELS} with one or two "
        "labels each; get it again"
    )


def _unpickled(data):
    if len(data) > _LARGEST_PICKLE:
        raise InputError(f"it has more than {_LARGEST_PICKLE >> 20} MiB")
    # Strings of Python 2 are left as they come, a character for each byte: the pixels are one.
    value = unpickle(data, _ANSWERS, read_old=str)
    if type(value) is not dict:
        raise InputError("it holds no dictionary")
    entries = {key.value if _is_bytes(key) else key: part for key, part in value.items()}
    array = entries.get("data", entries.get(b"data"))
    if type(array) is not Made or array.name not in _ARRAYS:
        raise InputError("its 'data' is no array of NumPy")
    match array.state:
        case (int(), (int(count), 3072), Made(name="uint8"), bool() | int() as by_columns, pixels):
            if type(pixels) is str:
                # What is no byte is replaced by several, which makes it too long.
                pixels = pixels.encode("latin-1", "backslashreplace")
            fits = type(pixels) in (bytes, bytearray) and len(pixels) == count * _PIXELS
            if fits and type(count) is int and count > 0:
                order = "F" if by_columns else "C"
                return np.frombuffer(pixels, np.uint8).reshape((count, _PIXELS), order=order)
    raise InputError(f"its 'data' are no uint8 values of the shape (N, {_PIXELS})")


def _dtype(arguments):
    known = bool(arguments) and arguments[0] in ("u1", "uint8", "|u1", b"u1")
    return Made("uint8") if known else None


def _text(arguments):
    """What bytes are encoded from: not a copy, of which there could be any number."""
    return arguments[0] if arguments and type(arguments[0]) is str else None


def _array(arguments):
    """What NumPy makes of a buffer, as in pickles of protocol 5."""
    match arguments:
        case (pixels, dtype, shape, "C" | "F" as order):
            return Made(_ARRAYS[0], state=(1, shape, dtype, order == "F", pixels))
    return None


_ARRAYS = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")

_ANSWERS = {
    "numpy.dtype": _dtype,
    "_codecs.encode": _text,
    "numpy.core.numeric._frombuffer": _array,
    "numpy._core.numeric._frombuffer": _array,
}


def _is_bytes(key):
    return type(key) is Key and type(key.value) is bytes
