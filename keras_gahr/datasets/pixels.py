"""From 8-bit colour to the values of a dataset."""

import numpy as np


def as_type(rgb, color, dtype):
    """Pixel values of a dataset: colour, or the mean of red, green and blue.

    Args:
        rgb: uint8 (..., 3).
        color: RGB instead of grey.
        dtype: "float32" for values in [0, 1] without rounding, "uint8" for rounded ones.

    Returns:
        (..., 3) or (..., 1).
    """
    if color:
        return rgb if dtype == "uint8" else np.divide(rgb, 255, dtype=np.float32)
    total = rgb.sum(axis=-1, keepdims=True, dtype=np.uint16)
    if dtype == "uint8":
        return ((total + 1) // 3).astype(np.uint8)
    return np.divide(total, 3 * 255, dtype=np.float32)
