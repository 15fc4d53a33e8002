"""Amounts of memory as people write them."""

import re

from keras_gahr.errors import InputError

_UNITS = {
    "": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}


def parse_memory(text):
    """Bytes from `2GB`, `500MB`, `1.5GiB` or a number of bytes.

    Raises:
        InputError: if it is none of these.
    """
    found = re.fullmatch(r"(\d{1,18}(?:\.\d{1,9})?) ?([a-z]*)", text.strip().lower(), re.ASCII)
    unit = found and (found[2] if found[2] in _UNITS else f"{found[2]}b")
    if unit not in _UNITS or not (memory := int(float(found[1]) * _UNITS[unit])):
        raise InputError(f"received memory {text!r}, expected an amount such as 2GB, 500MB or 2GiB")
    return memory


def in_units(memory):
    """Bytes as text that `parse_memory` reads, rounded up to whole megabytes."""
    return f"{-(-memory // 10**6)}MB"
