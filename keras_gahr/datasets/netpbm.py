"""PGM and PPM files: values that 8 bits do not hold, and colours as they are."""

import re
from typing import Any

import numpy as np

_CHANNELS = {b"P2": 1, b"P5": 1, b"P3": 3, b"P6": 3}


def netpbm_values(picture: Any, data: bytes) -> np.ndarray | None:
    """The values of a picture divided by the largest that its header names, float32 (H, W, C).

    Args:
        picture: from Pillow, not decoded yet.
        data: the bytes of the file.

    Returns:
        None if it has values that Pillow reads exactly: bits, 8 bits, or parts of 255.

    Raises:
        ValueError: if the file is cut off or has values that are too large.
    """
    (kind, _, start, arguments), channels = picture.tile[0], _CHANNELS.get(data[:2])
    if channels is None or kind == "raw":
        # Pillow reads the grey values of 16 bits too, as such.
        return None
    largest = arguments[-1]
    if 255 % largest == 0:
        return None
    width, height = picture.size
    count = height * width * channels
    if kind == "ppm_plain":
        words = re.sub(rb"#[^\r\n]*", b"", data[start:]).split(maxsplit=count)[:count]
        if any(len(word) > 5 for word in words):
            raise ValueError("a value has more than five digits")
        values = np.array([int(word) for word in words])
    else:
        dtype = np.dtype(">u2" if largest > 255 else "u1")
        values = np.frombuffer(data[start : start + count * dtype.itemsize], dtype)
    if len(values) != count:
        raise ValueError("the file is truncated")
    if count and not 0 <= values.min() <= values.max() <= largest:
        raise ValueError(f"a value is not in 0..{largest}")
    return np.divide(values, largest, dtype=np.float32).reshape(height, width, channels)


def as_ppm(image: np.ndarray) -> bytes:
    """The bytes of a PPM picture.

    Args:
        image: uint8 (H, W, 3).
    """
    height, width, _ = image.shape
    return f"P6 {width} {height} 255\n".encode() + image.tobytes()
