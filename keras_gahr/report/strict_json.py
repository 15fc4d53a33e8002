"""JSON that every reader takes: it has no NaN and no infinity."""

import json
import math
import numbers
from collections.abc import Mapping

import numpy as np


def strict_json(value):
    """The text of a value, indented.

    Mappings, sequences, NumPy arrays and numbers become what JSON has; numbers that are not finite
    become null.

    Raises:
        TypeError: for anything else.
    """
    return json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value):
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else None
    return value
