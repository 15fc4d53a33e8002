"""The manifest of a dataset, `manifest.json`, which may be anybody's: checked once, when it is read."""

import re
from pathlib import Path
from typing import Any

from keras_gahr.errors import InputError
from keras_gahr.impostors import impostor
from keras_gahr.json_file import read_json

FORMAT_VERSION = 1

LARGEST_MANIFEST = 2**29
"""Bytes: each of the sources has about a hundred."""

_AGAIN = "make the dataset again"


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest with all entries that every dataset has, each of its type.

    Args:
        path: of the `manifest.json`.

    Raises:
        InputError: if it is missing, too large, damaged, or of another version.
    """
    try:
        manifest = read_json(path, "a manifest", LARGEST_MANIFEST)
    except InputError as error:
        raise impostor(path, "a manifest", {"json"}) or InputError(f"{error}; {_AGAIN}") from error
    if not isinstance(manifest, dict):
        raise _damaged(path, f"it holds a {type(manifest).__name__}, expected an object")
    version = manifest.get("format")
    if _is_count(version) and version != FORMAT_VERSION:
        raise InputError(
            f"{path.parent} has dataset format {version:.0f}: this version reads {FORMAT_VERSION}; "
            f"{_AGAIN}, or install a newer keras-gahr"
        )
    for name, (fits, expected) in _ENTRIES.items():
        if not fits(manifest.get(name)):
            found = f"{manifest[name]!r:.60}" if name in manifest else "missing"
            raise _damaged(path, f"{name} is {found}, expected {expected}")
    for name in ("sources", "skipped"):
        files = manifest.get(name, [])
        if not isinstance(files, list) or not all(map(_is_file, files)):
            raise _damaged(path, f"{name} is expected to be a list of files with names")
    return manifest


def _damaged(path, why):
    return InputError(f"{path} is damaged: {why}; {_AGAIN}")


def _is_count(value):
    # Of a number with thousands of digits not even an error can be written.
    return type(value) is int and 0 < value < 2**63


def _is_file(entry):
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and isinstance(entry.get("reason", ""), str)
        and isinstance(entry.get("sha256"), str | None)
    )


_ENTRIES = {
    "format": (_is_count, "a number"),
    "recipe": (lambda value: isinstance(value, str), "a name"),
    "parameters": (lambda value: isinstance(value, dict), "an object"),
    "shape": (
        lambda value: isinstance(value, list) and len(value) == 4 and all(map(_is_count, value)),
        "four numbers (N, H, W, C)",
    ),
    "dtype": (lambda value: value in ("uint8", "float32"), "uint8 or float32"),
    "sha256": (
        lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value),
        "64 hexadecimal digits",
    ),
}
