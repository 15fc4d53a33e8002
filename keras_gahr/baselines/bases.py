"""Orthonormal bases of images that do not adapt to them."""

import numpy as np
import pywt
import scipy.fft
from keras import ops

from keras_gahr.errors import InputError

_LONGEST = 4096


class SeparableBasis:
    """An orthonormal transform along rows and columns, repeated on the low band.

    Args:
        levels: for each level, two orthogonal matrices (H, H) and (W, W) in float64; those of the
            next level have half the size and act on the first half of the rows and columns.
    """

    def __init__(self, levels):
        self.levels = levels

    def analysis(self, images, level=0):
        """Coefficients of images, both `(batch, height, width, channels)`."""
        rows, columns = (ops.convert_to_tensor(m, "float32") for m in self.levels[level])
        found = ops.einsum("ih,bhwc,jw->bijc", rows, images, columns)
        if level + 1 == len(self.levels):
            return found
        height, width = (len(matrix) for matrix in self.levels[level + 1])
        return _with_low(found, self.analysis(found[:, :height, :width], level + 1))

    def synthesis(self, coefficients, level=0):
        """The images of coefficients: the inverse of `analysis`, and its transpose."""
        rows, columns = (ops.convert_to_tensor(m, "float32") for m in self.levels[level])
        if level + 1 < len(self.levels):
            height, width = (len(matrix) for matrix in self.levels[level + 1])
            low = self.synthesis(coefficients[:, :height, :width], level + 1)
            coefficients = _with_low(coefficients, low)
        return ops.einsum("ih,bijc,jw->bhwc", rows, coefficients, columns)


def _with_low(coefficients, low):
    """The coefficients with another low band."""
    height, width = low.shape[1:3]
    top = ops.concatenate([low, coefficients[:, :height, width:]], axis=2)
    return ops.concatenate([top, coefficients[:, height:]], axis=1)


def separable_basis(name, height, width):
    """The basis of a name for images of one size.

    Args:
        name: "dct", the discrete cosine transform of the whole image, or an orthogonal wavelet of
            PyWavelets, such as "haar" or "db4", periodic, on as many levels as the size allows.
        height, width: of the images.

    Raises:
        InputError: for another name, a wavelet on odd sides, or sides of more than 4096 pixels.
    """
    if max(height, width) > _LONGEST:
        raise InputError(
            f"received images of {height}x{width}, expected sides of at most {_LONGEST} pixels, each of "
            "which is a row of a matrix: crop them"
        )
    if name == "dct":
        return SeparableBasis([(_cosines(height), _cosines(width))])
    if name not in pywt.wavelist(kind="discrete") or not pywt.Wavelet(name).orthogonal:
        raise InputError(
            f"received basis {name!r}, expected dct or an orthogonal wavelet such as haar or db4"
        )
    levels = []
    while height % 2 == width % 2 == 0 and _fits(name, min(height, width)):
        levels.append((_wavelets(name, height), _wavelets(name, width)))
        height, width = height // 2, width // 2
    if not levels:
        raise InputError(
            f"received images of {height}x{width}, expected even sides of at least "
            f"{pywt.Wavelet(name).dec_len} for the wavelet {name}: crop them, or choose dct"
        )
    return SeparableBasis(levels)


def _fits(name, side):
    return side >= pywt.Wavelet(name).dec_len


def _cosines(side):
    """The orthonormal DCT-II, one basis vector a row."""
    return scipy.fft.dct(np.eye(side), norm="ortho", axis=0)


def _wavelets(name, side):
    """One level: the low band's rows, then the details'."""
    return np.concatenate(pywt.dwt(np.eye(side), name, mode="periodization", axis=0))
