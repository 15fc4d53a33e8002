"""A denoiser's error without the clean image: Stein's unbiased risk estimate (SURE)."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from keras_gahr.denoisers import DenoiserLike
from keras_gahr.errors import InputError
from keras_gahr.noise import check_levels
from keras_gahr.progress import Progress, shows_progress
from keras_gahr.result import Result

from .intervals import CONFIDENCE
from .residual_traces import ResidualTraces
from .traces import PROBES


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Risk(Result):
    """Estimates of the mean squared error |D(y) - x|^2 / d of N denoised images; all float64 (N,).

    Attributes:
        mse: the estimates. Where errors are small they may be negative.
        trace_error: their standard errors over the probes of tr J.
        noise_error: their standard errors over the noise in y, about.
        sigma: the noise levels, in units of [0, 1].

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import Risk
        >>> found = Risk(*np.array([[0.01], [0.0003], [0.0004], [0.2]]))
        >>> found.psnr, found.standard_error
        (array([20.]), array([0.0005]))
    """

    mse: np.ndarray
    trace_error: np.ndarray
    noise_error: np.ndarray
    sigma: np.ndarray

    @property
    def standard_error(self) -> np.ndarray:
        """How far the estimates are from the errors made: both parts together, (N,)."""
        return np.hypot(self.trace_error, self.noise_error)

    @property
    def interval(self) -> np.ndarray:
        """95% intervals of |D(y) - x|^2 / d, (N, 2), as if the estimates were normal."""
        reach = stats.norm.ppf((1 + CONFIDENCE) / 2) * self.standard_error
        return self.mse[:, None] + reach[:, None] * np.array([-1, 1])

    @property
    def psnr(self) -> np.ndarray:
        """-10 log10 of the estimates, in dB, (N,); NaN where they are not above 0."""
        return -10 * np.log10(np.where(self.mse > 0, self.mse, np.nan))


@shows_progress("estimating")
def sure(
    denoiser: DenoiserLike,
    noisy: ArrayLike | list | tuple,
    sigma: ArrayLike,
    *,
    method: str = "hutchinson",
    probes: int = PROBES,
    error: float | None = None,
    seed: int = 0,
    progress: Progress = None,
) -> Risk:
    """The mean squared error of denoised images, from the noisy ones alone.

    SURE = |y - D(y)|^2 / d - sigma^2 + 2 sigma^2 tr J / d (Stein, 1981) is the error in expectation over
    Gaussian noise, whatever the image and the denoiser. How far it is from the error made has the expected
    square [4 sigma^2 |y - D|^2 + 4 sigma^4 tr J^2 - 2 sigma^4 d] / d^2 (Bellec and Zhang, arXiv 1811.04121),
    in which |J|_F^2 stands for tr J^2 here: that is the same for a symmetric J, else larger.

    Args:
        denoiser: see `as_denoiser`.
        noisy: y, (H, W), (H, W, C), (N, H, W) or (N, H, W, C): uint8 in 0..255, or floats in the units of
            [0, 1], neither clipped nor rounded, which would change the noise; or a list of such arrays.
        sigma: level of the noise in y, above 0, in units of [0, 1]: one, or one for each image.
        method, probes, error, seed: of the trace; see `trace`.
        progress: called with (done, total).

    Returns:
        The `Risk` of each image.

    Raises:
        InputError: for images that do not fit, or levels that are not above 0.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((64, 8, 8))
        >>> wiener = kg.baselines.Wiener.from_images(images, sigma=0.2)
        >>> noisy = images[:2] + 0.2 * np.random.default_rng(1).standard_normal((2, 8, 8))
        >>> kg.analysis.sure(wiener, noisy, 0.2).mse.shape
        (2,)
    """
    assert callable(progress)  # As the decorator makes it.
    measure = ResidualTraces(denoiser, method=method, probes=probes, error=error, seed=seed)
    stacks = measure.stacks(noisy)
    count = sum(map(len, stacks))
    given = check_levels(np.asarray(sigma).tolist())
    if len(given) not in {1, count}:
        raise InputError(f"received {len(given)} noise levels for {count} images: give as many")
    for level in given:
        measure.denoiser.check_sigma(level)
    levels = np.broadcast_to(np.array(given), count)
    found = measure.at(stacks, levels, progress)
    power, size = levels**2, found.dimension
    mse = found.power / size - power + 2 * power * found.trace / size
    square = 4 * power * found.power + 4 * power**2 * found.effective_dimension
    square = np.maximum(square - 2 * power**2 * size, 0)
    return Risk(mse, 2 * power * found.trace_error / size, np.sqrt(square) / size, np.array(levels))
