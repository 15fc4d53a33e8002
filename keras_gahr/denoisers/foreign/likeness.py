"""What tells arrays apart that a network computes for itself, such as tables of sines.

Another machine may compute them with other last bits, so that a hash would tell it from the one before.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_gahr.datasets.arrays import name_of_type, sha256_of

_DIRECTIONS = 8
_SAME = 1e-4
"""Relative difference up to which two are the same: that of a few roundings of float16."""

_DIGITS = 2
"""Of numbers around 1 that are the same for all machines but for one in thousands."""


def likeness(array: np.ndarray) -> dict[str, Any]:
    """What is kept of an array, as JSON has it.

    Of floats that is the root of the mean square, and sums of the values with random signs, in parts of the
    root of the sum of squares; they are around 1. Of others, and where there are NaN or infinity, a hash.
    """
    kept: dict[str, Any] = {"shape": [*array.shape], "type": name_of_type(array.dtype)}
    exact = array.dtype.kind in "biu"
    parts = [np.real(array), np.imag(array)] if array.dtype.kind == "c" else [array]
    values = np.concatenate([np.asarray(part, np.float64).reshape(-1) for part in parts])
    if exact or not np.isfinite(values).all():
        return kept | {"sha256": sha256_of(array)}
    length = float(np.linalg.norm(values))
    generator = np.random.Generator(np.random.Philox(0))
    sums = [
        float(np.where(generator.random(values.size) < 0.5, values, -values).sum())
        for _ in range(_DIRECTIONS)
    ]
    root = length / max(1, values.size) ** 0.5
    return kept | {"root": root, "sums": [each / (length or 1.0) for each in sums]}


def alike(kept: Any, array: np.ndarray) -> bool:
    """Whether an array is what `likeness` kept of one, which may come from a file.

    Other values by a thousandth are not, but for one time in millions.
    """
    now = likeness(array)
    if not isinstance(kept, dict) or kept.keys() != now.keys():
        return False
    if any(kept[name] != now[name] for name in now.keys() - {"root", "sums"}):
        return False
    if "sums" not in now:
        return True
    try:
        root, sums = float(kept["root"]), np.array(kept["sums"], np.float64)
    except (TypeError, ValueError):
        return False
    same = abs(root - now["root"]) <= _SAME * now["root"]
    return same and sums.shape == (_DIRECTIONS,) and bool(np.all(abs(sums - now["sums"]) <= _SAME))


def roughly(array: np.ndarray) -> np.ndarray:
    """Bytes that are the same for an array on every machine, and other ones for other values, mostly."""
    kept = likeness(array)
    if "sums" in kept:
        kept["root"] = f"{kept['root']:.{_DIGITS}e}"
        kept["sums"] = [round(each, _DIGITS) + 0.0 for each in kept["sums"]]
    return np.frombuffer(repr(kept).encode(), np.uint8)
