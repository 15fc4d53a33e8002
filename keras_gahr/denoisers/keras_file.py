"""A `.keras` file that may be anybody's, checked before Keras opens it.

It is a zip archive of three parts, which Keras stores without compressing them: config.json says which
class with which options, model.weights.h5 holds the arrays, metadata.json the version of Keras. What newer
versions may write besides is accepted where it does nothing: more names in metadata.json and beside the
class in config.json, and the arrays of an optimizer. Other options of the class are not.
"""

import struct
import zipfile

from keras_gahr.json_file import parse_json

from .configuration import objects_in, stored_shapes
from .weights_file import StoredOtherwise, check_weights, largest_weights_file

_WEIGHTS = "model.weights.h5"
_LARGEST = {"metadata.json": 2**16, "config.json": 2**20}
_END = struct.Struct("<4s4H2LH")
"""What a zip archive ends with, when nothing follows: see `zipfile`."""

_LOCATOR = b"PK\x06\x07"
_LARGE_END_BYTES = 76
_SMALL = 2**31 - 1
"""Bytes up to which `zipfile` writes no such locator, nor what it locates."""

_LOCAL_HEADER_BYTES = 30
_UNIMPORTANT_FLAGS = 0x0806
"""Names in UTF-8, and how hard a compression tried."""


def check_keras_file(path):
    """Refuses a file unless it holds a denoiser and nothing else, of the size that it says.

    Nothing is inflated or built: the parts must be stored as they are, so that no more memory is
    taken than the file is long.

    Raises:
        ValueError: what is wrong, in one line. Damaged archives also raise what `zipfile` or `h5py` does.
    """
    _check(path, lambda configuration: list(stored_shapes(configuration)))


def check_arrays(path, shapes_of):
    """Refuses a file unless it holds what Keras writes and nothing else, and its arrays have these shapes.

    Keras writes the kernel of a layer in `SpectralNormalization` twice, and not the two factors that LoRA
    adds to a kernel, but their sum with it.

    Args:
        path: the file.
        shapes_of: a function of what its config.json says to the shapes of all weights, tuples.

    Raises:
        ValueError: as `check_keras_file`, and what the function does.
    """
    _check(path, shapes_of, _stored_otherwise)


def _check(path, shapes_of, otherwise=lambda configuration: StoredOtherwise()):
    with open(path, "rb") as file:
        listed = _check_end(file)
        with zipfile.ZipFile(file) as archive:
            _check_parts(file, archive, listed)
            for name, largest in _LARGEST.items():
                if archive.getinfo(name).file_size > largest:
                    raise ValueError(f"its {name} has more than {largest // 1024} KiB")
            parse_json(archive.read("metadata.json"))
            configuration = parse_json(archive.read("config.json"))
            if isinstance(configuration, dict):
                # Of a model that Keras itself trained; it is not looked at.
                configuration.pop("compile_config", None)
            # Before the shapes: Keras takes apart what it makes a model of.
            stored = otherwise(configuration)
            shapes = shapes_of(configuration)
            if archive.getinfo(_WEIGHTS).file_size > largest_weights_file(shapes):
                raise ValueError(f"its {_WEIGHTS} is larger than such a network needs")
            check_weights(archive.read(_WEIGHTS), shapes, stored)


def _stored_otherwise(configuration):
    """The `StoredOtherwise` of the layers of Keras that a config.json names."""
    copies, ranks = 0, []
    for part in objects_in(configuration):
        copies += part.get("class_name") == "SpectralNormalization"
        rank = part.get("lora_rank")
        ranks += [rank] if type(rank) is int and rank > 0 else []
    return StoredOtherwise(copies, tuple(ranks))


def _check_end(file):
    """Refuses what follows an archive, and one with more than three parts before they are listed.

    Returns:
        Where the list of its parts begins.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - 20))
    tail = file.read()
    if len(tail) < _END.size + 20 or not tail[20:].startswith(b"PK\x05\x06"):
        raise ValueError("something follows its end")
    *_, count, length, _, comment = _END.unpack(tail[20:])
    if count != len(_LARGEST) + 1 or comment:
        raise ValueError(f"it has {count} parts, expected {', '.join(_LARGEST)} and {_WEIGHTS}")
    end = size - _END.size
    if tail.startswith(_LOCATOR):
        # Larger archives may list any number of parts elsewhere.
        if size < _SMALL:
            raise ValueError("it has the end of an archive of more than 2 GiB")
        end -= _LARGE_END_BYTES
    return end - length


def _check_parts(file, archive, listed):
    """Refuses other parts than Keras writes, and anything before, between or after them.

    Args:
        file, archive: the open file, and the archive in it.
        listed: where the list of its parts begins.
    """
    parts = sorted(archive.infolist(), key=lambda part: part.header_offset)
    if sorted(part.filename for part in parts) != sorted([*_LARGEST, _WEIGHTS]):
        raise ValueError(f"its parts are not {', '.join(_LARGEST)} and {_WEIGHTS}")
    end = 0
    for part in parts:
        if part.compress_type != zipfile.ZIP_STORED or part.file_size != part.compress_size:
            raise ValueError(f"its {part.filename} is compressed, which Keras does not do")
        if part.flag_bits & ~_UNIMPORTANT_FLAGS or part.header_offset != end:
            raise ValueError(f"its {part.filename} does not lie where Keras writes it")
        file.seek(end + _LOCAL_HEADER_BYTES - 4)
        name, extra = struct.unpack("<2H", file.read(4))
        end += _LOCAL_HEADER_BYTES + name + extra + part.compress_size
    if end != listed:
        raise ValueError(f"something follows its {parts[-1].filename}")
