"""The level of the noise in an image, by its finest details."""

import numpy as np
import pywt
from scipy import stats

from .arrays import to_float


def wavelet_level(images: np.ndarray) -> np.ndarray:
    """The noise level of each image by the median of its finest diagonal details.

    That is Donoho and Johnstone's estimate (1994, "Ideal spatial adaptation by wavelet shrinkage"). It
    takes texture for noise, so that it is rather too high.

    Args:
        images: (N, H, W, C), uint8 or floats.

    Returns:
        float64 (N,), in units of [0, 1].
    """
    # A last row or column without a partner would be its own, and its details 0.
    height, width = (side - side % 2 or side for side in images.shape[1:3])
    found = []
    for image in images[:, :height, :width]:
        _, (*_, diagonal) = pywt.dwt2(to_float(image, None), "haar", axes=(0, 1))
        found.append(np.median(np.abs(diagonal)) / stats.norm.ppf(0.75))
    return np.array(found, np.float64)
