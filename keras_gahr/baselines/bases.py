"""Orthonormal bases of images that do not adapt to them: the discrete cosine transform and wavelets.

As functions of NumPy arrays of any size, and as matrices for tensors of one size, to be differentiated.
"""

import numpy as np
import pywt
import scipy.fft
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr.datasets.stacks import as_one_exact
from keras_gahr.errors import InputError

WAVELET = "db4"
_LONGEST = 4096


def dct_coefficients(image: ArrayLike) -> np.ndarray:
    """The orthonormal discrete cosine transform of an image (H, W, C), shaped as it; float64.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import dct_coefficients
        >>> dct_coefficients(np.full((4, 4, 1), 0.5))[0, 0]
        array([2.])
    """
    return scipy.fft.dctn(as_one_exact(image), axes=(0, 1), norm="ortho")


def dct_image(coefficients: np.ndarray) -> np.ndarray:
    """The image of `dct_coefficients`.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import dct_coefficients, dct_image
        >>> image = np.random.default_rng(0).random((4, 4, 1))
        >>> np.allclose(dct_image(dct_coefficients(image)), image)
        True
    """
    return scipy.fft.idctn(coefficients, axes=(0, 1), norm="ortho")


def wavelet_coefficients(image: ArrayLike, wavelet: str = WAVELET) -> np.ndarray:
    """The orthonormal periodic wavelet transform of an image (H, W, C), shaped as it; float64.

    As many levels as PyWavelets takes by itself, where the sides are even: a band is halved if two filters
    fit. `separable_basis` halves it if one fits, often once more.

    Raises:
        InputError: for a wavelet that is not orthogonal or not known.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import wavelet_coefficients
        >>> wavelet_coefficients(np.ones((2, 2, 1)), "haar")[..., 0].round(3) + 0
        array([[2., 0.],
               [0., 0.]])
    """
    image = as_one_exact(image)
    bands = pywt.wavedecn(
        image,
        _orthogonal(wavelet),
        mode="periodization",
        level=_levels(image.shape, wavelet),
        axes=(0, 1),
    )
    return pywt.coeffs_to_array(bands, axes=(0, 1))[0]


def wavelet_image(coefficients: np.ndarray, wavelet: str = WAVELET) -> np.ndarray:
    """The image of `wavelet_coefficients`.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import wavelet_coefficients, wavelet_image
        >>> image = np.random.default_rng(0).random((16, 16, 1))
        >>> np.allclose(wavelet_image(wavelet_coefficients(image)), image)
        True
    """
    template = pywt.wavedecn(
        np.zeros(coefficients.shape),
        _orthogonal(wavelet),
        mode="periodization",
        level=_levels(coefficients.shape, wavelet),
        axes=(0, 1),
    )
    _, slices = pywt.coeffs_to_array(template, axes=(0, 1))
    bands = pywt.array_to_coeffs(coefficients, slices, output_format="wavedecn")
    return pywt.waverecn(bands, wavelet, mode="periodization", axes=(0, 1))


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
            PyWavelets, such as "haar" or "db4", periodic, on as many levels as the size allows: a band
            of even sides is halved if the filter fits. (PyWavelets itself wants two to fit, since at
            other borders than periodic ones every coefficient would depend on what lies outside.)
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
    if not _is_orthogonal(name):
        raise InputError(
            f"received basis {name!r}, expected dct or an orthogonal wavelet such as haar or db4"
        )
    length = pywt.Wavelet(name).dec_len
    sides = _halved(height, width, length)
    if not sides:
        raise InputError(
            f"received images of {height}x{width}, expected even sides of at least {length} for the "
            f"wavelet {name}: crop them, or choose dct"
        )
    return SeparableBasis([tuple(_wavelets(name, side) for side in both) for both in sides])


def _cosines(side):
    """The orthonormal DCT-II, one basis vector a row."""
    return scipy.fft.dct(np.eye(side), norm="ortho", axis=0)


def _wavelets(name, side):
    """One level: the low band's rows, then the details'."""
    return np.concatenate(pywt.dwt(np.eye(side), name, mode="periodization", axis=0))


def _levels(shape, wavelet):
    """How many levels PyWavelets takes by itself; odd sides cannot be halved and stay orthonormal."""
    height, width = shape[:2]
    return len(_halved(height, width, 2 * (pywt.Wavelet(wavelet).dec_len - 1)))


def _halved(height, width, shortest):
    """Sides of the bands that a level halves: even, and of so many pixels at least."""
    sides = []
    while height % 2 == width % 2 == 0 and min(height, width) >= shortest:
        sides.append((height, width))
        height, width = height // 2, width // 2
    return sides


def _is_orthogonal(name):
    try:
        return pywt.Wavelet(name).orthogonal
    except (ValueError, TypeError):
        return False


def _orthogonal(wavelet):
    if not _is_orthogonal(wavelet):
        raise InputError(
            f"received wavelet {wavelet!r}, expected an orthogonal one such as db4 or sym4"
        )
    return wavelet
