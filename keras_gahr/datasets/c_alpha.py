"""C^alpha images: regular regions on both sides of a regular contour (arXiv 2310.02557, section 3.1).

The contour is a random function of the column with alpha derivatives, the two regions are random
textures with beta derivatives. Both are white noise multiplied by |k|^-alpha (|k|^-beta) in
frequency. For an ideal denoiser of C^alpha images the MSE falls as sigma^(2 alpha / (alpha + 1)).
"""

import concurrent.futures
import dataclasses
import functools
import os
from os import PathLike
from typing import Any

import numpy as np
import pywt
import scipy.fft

from keras_gahr.errors import InputError
from keras_gahr.noise import check_number
from keras_gahr.progress import OnProgress

from .draws import raw, to_uniform
from .generated import check_sequence, make_generated
from .store import Dataset

# What a thread works on at once: more pixels leave its cache, fewer are not worth the calls.
CHUNK_PIXELS = 32 * 80 * 80


@dataclasses.dataclass(frozen=True)
class CAlpha:
    """The law of C^alpha images.

    Attributes:
        alpha: regularity of the contour, > 0: the exponent of its amplitude spectrum.
        beta: that of the backgrounds, > 0; by default alpha.
        blurred: average the mask of the regions over 2 x 2 pixels, as in the paper's experiments.
        constant: regions of constant, independent and uniform intensities.
        separable: filter the backgrounds by |kx ky|^(-beta / 2) instead of |k|^-beta.
        antialias: 1, 2 or 4: draw images that many times larger, and keep the low band of a wavelet
            transform of that size. The amplitude of the contour stays the same.
        wavelet: an orthogonal wavelet of PyWavelets for that; "haar" averages blocks.

    Raises:
        InputError: if one of them is something else.
    """

    alpha: float
    beta: float | None = None
    blurred: bool = False
    constant: bool = False
    separable: bool = False
    antialias: int = 1
    wavelet: str = "haar"

    def __post_init__(self) -> None:
        if self.beta is None:
            object.__setattr__(self, "beta", self.alpha)
        for name in ("alpha", "beta"):
            value = getattr(self, name)
            if not 0 < check_number(value, name) < 50:
                raise InputError(f"{name} is {value}: expected a number above 0, below 50")
        if self.antialias not in {1, 2, 4}:
            raise InputError(f"antialias is {self.antialias}: expected 1, 2 or 4")
        known = self.wavelet in pywt.wavelist(kind="discrete")
        if not known or not pywt.Wavelet(self.wavelet).orthogonal:
            raise InputError(
                f"the wavelet is {self.wavelet!r}: expected an orthogonal one, such as haar or db2"
            )

    def images(
        self,
        contour: np.ndarray,
        noise: np.ndarray | None,
        intensities: np.ndarray,
        coin: np.ndarray,
    ) -> np.ndarray:
        """The images that some random numbers make.

        Args:
            contour: uniform on [0, 1), (N, n) with n = antialias * size.
            noise: float32, uniform on any interval, (N, n, n, 2): for the region below the contour
                and for the one above. None for constant regions.
            intensities: uniform on [0, 1), (N, 2). The values of one region are stretched to
                [first, 1], those of the other to [0, second]; constant regions have these values.
            coin: (N,), whether the region above the contour is the one that reaches 1.

        Returns:
            float32 (N, size, size, 1) in [0, 1].
        """
        n = contour.shape[-1]
        # White noise on a finer grid has smaller Fourier coefficients, for the same function.
        heights = np.sqrt(self.antialias) * contours(contour, self.alpha)
        # A contour that leaves the image is cut off there, since no row is outside.
        boundary = (np.rint(n * heights) + n // 2).astype(np.int32)
        below = np.arange(n, dtype=np.int32)[:, None] >= boundary[:, None]
        if self.constant:
            lower, upper = intensities.astype(np.float32).T[..., None, None]
        else:
            lower, upper = self._regions(noise, intensities, coin).swapaxes(0, 1)
        if self.blurred:
            images = _blur(below)
            images *= lower - upper
            images += upper
        else:
            images = np.where(below, lower, upper)
        for _ in range(self.antialias.bit_length() - 1):
            images = _low_band(images, self.wavelet)
        return np.clip(images, 0, 1, out=images)[..., None]

    def _regions(self, noise, intensities, coin):
        assert self.beta is not None  # Alpha, if none was given.
        regions = backgrounds(noise, self.beta, self.separable)
        low, high = (extremum(regions, axis=(2, 3)) for extremum in (np.min, np.max))
        bright = coin[:, None] != [True, False]
        bottom = bright * intensities[:, :1]
        top = np.where(bright, 1, intensities[:, 1:])
        scale = ((top - bottom) / (high - low)).astype(np.float32)
        regions *= scale[..., None, None]
        regions += (bottom - scale * low).astype(np.float32)[..., None, None]
        return regions


def contours(draws: np.ndarray, alpha: float) -> np.ndarray:
    """Heights of contours as fractions of the size, from uniform draws on [0, 1), both (N, n).

    The frequency k is in cycles per image; the mean is treated as frequency 1.
    """
    n = draws.shape[-1]
    k = np.maximum(np.arange(n // 2 + 1), 1)
    return np.fft.irfft(np.fft.rfft(2 * draws - 1) * k ** -float(alpha), n)


def backgrounds(noise: np.ndarray, beta: float, separable: bool = False) -> np.ndarray:
    """White noise filtered by |k|^-beta, without its mean.

    The separable filter is |kx ky|^(-beta / 2), where a frequency of 0 is treated as 1.

    Args:
        noise: float32 (N, n, n, 2), two textures for each image.
        beta: the exponent.
        separable: which filter.

    Returns:
        float32 (N, 2, n, n).
    """
    # The filter is real and even, so the two are the real and the imaginary part of one texture.
    spectrum = scipy.fft.fft2(np.ascontiguousarray(noise).view(np.complex64)[..., 0])
    parts = spectrum.view(np.float32)
    parts *= _filter(noise.shape[1], beta, separable)
    textures = scipy.fft.ifft2(spectrum, overwrite_x=True)
    return np.stack([textures.real, textures.imag], axis=1)


@functools.lru_cache(maxsize=8)
def _filter(n, beta, separable):
    k = n * np.abs(np.fft.fftfreq(n))
    if separable:
        k = np.sqrt(np.multiply.outer(np.maximum(k, 1), np.maximum(k, 1)))
    else:
        k = np.hypot.outer(k, k)
        k[0, 0] = 1
    response = (k ** -float(beta)).astype(np.float32)
    # The mean disappears when the values are stretched; here it would only cost digits.
    response[0, 0] = 0
    # For real and imaginary parts side by side.
    response = np.repeat(response, 2, axis=1)
    response.flags.writeable = False
    return response


def _blur(mask):
    """The mean over each pixel, the one above and those left of them, mirrored at the edges."""
    rows = mask + np.concatenate([mask[:, 1:2], mask[:, :-1]], axis=1, dtype=np.uint8)
    total = rows + np.concatenate([rows[..., 1:2], rows[..., :-1]], axis=2)
    return total * np.float32(0.25)


def _low_band(images, wavelet):
    """Half as large, with the same mean; the rows that longer wavelets add are cut off."""
    low = pywt.dwt2(images, wavelet, mode="symmetric", axes=(1, 2))[0] / np.float32(2)
    size = images.shape[1] // 2
    first = (low.shape[1] - size) // 2
    return np.ascontiguousarray(low[:, first : first + size, first : first + size])


def c_alpha_images(
    count: int,
    size: int,
    seed: int,
    alpha: float,
    beta: float | None = None,
    blurred: bool = False,
    start: int = 0,
    workers: int | None = None,
    **options: Any,
) -> np.ndarray:
    """C^alpha images number start, ..., start + count - 1 of the sequence that the seed defines.

    Image i depends on (seed, i) and the law alone.

    Args:
        count: number of images.
        size: height and width in pixels, at least 2.
        seed: integer in [0, 2^64).
        alpha, beta, blurred, options: see `CAlpha`.
        start: index of the first image.
        workers: number of threads; by default one for each core, at most 8.

    Returns:
        float32 (count, size, size, 1) in [0, 1].

    Raises:
        InputError: if an argument is out of range.

    Examples:
        >>> from keras_gahr.datasets import c_alpha_images
        >>> c_alpha_images(count=4, size=16, seed=0, alpha=2).shape
        (4, 16, 16, 1)
    """
    count, seed, start, size = check_sequence(count, seed, start, size)
    law = CAlpha(alpha, beta, blurred, **options)
    n = size * law.antialias
    scalars = n + 3
    # Each 64-bit number makes eight pixels of noise. Of its 256 values nothing can be seen: filtered,
    # a pixel is the sum of all the noise.
    numbers = scalars + (0 if law.constant else -(-2 * n * n // 8))
    chunk = max(1, CHUNK_PIXELS // (n * n))
    images = np.empty((count, size, size, 1), np.float32)

    def draw(first):
        part = images[first : first + chunk]
        draws = raw("c_alpha", seed, start + first, len(part), numbers)
        contour, intensities, coin = np.split(to_uniform(draws[:, :scalars]), [n, n + 2], axis=1)
        noise = None
        if not law.constant:
            noise = draws[:, scalars:].view(np.int8)[:, : 2 * n * n].astype(np.float32)
            noise = noise.reshape(-1, n, n, 2)
        part[:] = law.images(contour, noise, intensities, coin[:, 0] < 0.5)

    with concurrent.futures.ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(draw, range(0, count, chunk)))
    return images


def make_c_alpha(
    out: str | PathLike,
    count: int,
    size: int,
    seed: int,
    alpha: float,
    overwrite: bool = False,
    progress: OnProgress = None,
    **options: Any,
) -> Dataset:
    """Makes a dataset of C^alpha images: `c_alpha_images(...)`, float32, block by block.

    Args:
        out: the dataset folder to make.
        count, size, seed: as for `c_alpha_images`.
        alpha, options: see `CAlpha`.
        overwrite: replace an older dataset.
        progress: called as progress(images done, images in all).

    Returns:
        The Dataset.

    Raises:
        InputError: if an argument is out of range, or `out` exists.

    Examples:
        >>> import tempfile
        >>> from keras_gahr.datasets import make_c_alpha
        >>> folder = tempfile.TemporaryDirectory()
        >>> images = make_c_alpha(f"{folder.name}/c2", count=4, size=16, seed=0, alpha=2, blurred=True)
        >>> images.manifest["parameters"]["blurred"]
        True
    """
    count, seed, _, size = check_sequence(count, seed, size=size)
    law = dataclasses.asdict(CAlpha(alpha, **options))
    return make_generated(
        out,
        "c_alpha",
        {"count": count, "size": size, "seed": seed, **law},
        (size, size, 1),
        lambda number, start: c_alpha_images(number, size, seed, start=start, **law),
        overwrite,
        progress,
    )
