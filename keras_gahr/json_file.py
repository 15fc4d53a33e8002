"""JSON from files that may be anybody's, and for every reader."""

import json
import math
import numbers
import os
from collections.abc import Mapping

from keras_gahr.errors import InputError
from keras_gahr.files import check_regular
from keras_gahr.names import encodable

LARGEST_JSON = 2**24
"""Bytes of the largest JSON file that is read."""

_DEEPEST = 100


def read_json(path, expected="a JSON file", largest=LARGEST_JSON):
    """The content of a JSON file.

    Args:
        path: the file.
        expected: what errors ask for, such as "the config.json of a run".
        largest: bytes that it may have.

    Raises:
        InputError: if it is no regular file, too large, or not what `parse_json` takes.
    """
    check_regular(path, expected)
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            # Python makes room for all that is asked for.
            content = file.read(size + 1) if size <= largest else None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if content is None or len(content) > largest:
        raise InputError(f"{path} has more than {largest / 2**20:.0f} MiB: give {expected}")
    try:
        return parse_json(content)
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error


def parse_json(content):
    """The value of a JSON text in UTF-8, which may mean only one thing.

    Raises:
        ValueError: for what is no JSON, names that come twice in an object, numbers that are not finite,
            and values nested more than a hundred deep. It says so in one line.
    """
    try:
        value = json.loads(content.decode(), object_pairs_hook=_object, parse_constant=_not_finite)
    except UnicodeDecodeError:
        raise ValueError("it is not text in UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    _check_depth(value)
    return value


def write_json(path, value):
    """Writes `json_text` of a value into a file, which is to be a temporary one."""
    with path.open("w", encoding="utf-8") as file:
        # Part by part: in a list, the parts of a text take four times its room.
        file.writelines(_parts_of_text(value))
        file.write("\n")


def json_text(value):
    """The text of a value as every reader of JSON takes it, indented.

    Mappings, sequences, paths, NumPy arrays and numbers become what JSON has; numbers that are not finite
    become null, and text is made `encodable`.

    Raises:
        InputError: for anything else.
    """
    return "".join(_parts_of_text(value))


def _parts_of_text(value):
    return json.JSONEncoder(indent=1, ensure_ascii=False, allow_nan=False).iterencode(_plain(value))


def _plain(value):
    if hasattr(value, "tolist"):  # Of NumPy, which reading needs not.
        value = value.tolist()
    if isinstance(value, Mapping):
        return {encodable(str(name)): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        return encodable(value)
    if value is not None:
        raise InputError(
            f"received a {type(value).__name__} to write as JSON, expected numbers, texts, and lists, "
            "arrays or dictionaries of them"
        )
    return None


def _object(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object in it has one name twice")
    return found


def _not_finite(name):
    raise ValueError(f"it has {name}, which is no number of JSON")


def _check_depth(value):
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            part
            for item in level
            if isinstance(item, dict | list)
            for part in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise ValueError("it is nested too deep")
