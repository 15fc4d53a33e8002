"""The level of the noise in an image: by a denoiser, and by what it is compared with.

For the best denoiser of images with noise sigma, E|r|^2 = d sigma^2 - E|D - x|^2 and E|D - x|^2 =
sigma^2 E tr J, so that |r| / sqrt(d), which the sampler takes, is too low by the error that is left, and
sigma^2 = |r|^2 / (d - tr J). (arXiv 2310.02557, equations 5 and 6.)
"""

from __future__ import annotations

import dataclasses
import importlib.util

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from keras_gahr.baselines.baseline import Baseline
from keras_gahr.datasets.arrays import to_float
from keras_gahr.datasets.wavelet_level import wavelet_level
from keras_gahr.denoisers import DenoiserLike
from keras_gahr.errors import InputError
from keras_gahr.noise import check_levels
from keras_gahr.progress import Progress, share, shows_progress
from keras_gahr.result import Result

from .intervals import CONFIDENCE
from .residual_traces import Measured, ResidualTraces
from .traces import PROBES

_ROUNDS, _SAME = 10, 5e-3
"""How often a denoiser is told the level that it found, and up to which relative change."""

_LEAST = 1e-3
"""The lowest level that a denoiser is told which knows no lowest."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class NoiseEstimates(Result):
    """Estimates of the noise level in each of N images, in units of [0, 1]; all float64 (N,).

    Attributes:
        plain: |r(y)| / sqrt(d), too low by the error that is left.
        corrected: sqrt(|r(y)|^2 / (d - tr J)); NaN if it was not asked for, or where tr J is not below d.
        trace_error: standard errors of `corrected` over the probes of tr J.
        noise_error: those over the noise, as they are for Gaussian images and the best denoiser of these that
            finds the level itself or is told the one that is found; or of a baseline made for one level.
        wavelet: the median of the finest diagonal Haar coefficients' sizes over 0.6745 (Donoho and
            Johnstone, 1994); too high by what is fine in the image.
        scikit_image: what `skimage.restoration.estimate_sigma` finds; None where scikit-image is not
            installed.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((64, 8, 8))
        >>> wiener = kg.baselines.Wiener.from_images(images, sigma=0.2)
        >>> kg.analysis.noise_level(wiener, images[:2]).interval.shape
        (2, 2)
    """

    plain: np.ndarray
    corrected: np.ndarray
    trace_error: np.ndarray
    noise_error: np.ndarray
    wavelet: np.ndarray
    scikit_image: np.ndarray | None = None

    @property
    def standard_error(self) -> np.ndarray:
        """Of `corrected`: both parts together, (N,)."""
        return np.hypot(self.trace_error, self.noise_error)

    @property
    def interval(self) -> np.ndarray:
        """95% intervals of the level by `corrected`, (N, 2), as if it were normal: for the best denoiser.

        What another one does otherwise they do not tell; see `noise_calibration`.
        """
        reach = stats.norm.ppf((1 + CONFIDENCE) / 2) * self.standard_error
        return self.corrected[:, None] + reach[:, None] * np.array([-1, 1])


@shows_progress("estimating")
def noise_level(
    denoiser: DenoiserLike,
    noisy: ArrayLike | list | tuple,
    *,
    sigma: ArrayLike | None = None,
    corrected: bool = True,
    method: str = "hutchinson",
    probes: int = PROBES,
    error: float | None = None,
    seed: int = 0,
    progress: Progress = None,
) -> NoiseEstimates:
    """The level of the noise in each of some images.

    A denoiser that is told the level is told the one that it finds, until that changes by less than half a
    percent, ten times at most: for Gaussian images that leads to the most likely level, slowly where most of
    what is seen is image.

    Args:
        denoiser: see `as_denoiser`; one of grey images takes each channel of images in colour alone.
        noisy: y, (H, W), (H, W, C), (N, H, W) or (N, H, W, C): uint8 in 0..255, or floats in the units of
            [0, 1]; or a list of such arrays. Clipped noise is less noise.
        sigma: where to begin with a denoiser that is told the level: one, or one for each image; default:
            `NoiseEstimates.wavelet`. A blind one ignores it.
        corrected: whether tr J is computed; without it the denoiser takes one pass.
        method, probes, error, seed: of the trace; see `trace`.
        progress: called with (done, total).

    Raises:
        InputError: for images that do not fit.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((300, 8, 8))
        >>> wiener = kg.baselines.Wiener.from_images(images, sigma=0.3)
        >>> noisy = images + 0.3 * np.random.default_rng(1).standard_normal(images.shape)
        >>> found = kg.analysis.noise_level(wiener, noisy)
        >>> found.plain.mean().round(2), found.corrected.mean().round(2)
        (np.float64(0.22), np.float64(0.3))
    """
    assert callable(progress)  # As the decorator makes it.
    measure = ResidualTraces(denoiser, method=method, probes=probes, error=error, seed=seed)
    return levels_of(measure, measure.stacks(noisy), sigma, corrected, progress)


def levels_of(measure: ResidualTraces, stacks, sigma, corrected, progress) -> NoiseEstimates:
    """What `noise_level` finds, with what was compiled for the denoiser before."""
    wavelet = np.concatenate([wavelet_level(stack) for stack in stacks])
    if measure.denoiser.told:
        told = wavelet if sigma is None else np.array(check_levels(np.asarray(sigma).tolist()))
        found = _until_it_stays(measure, stacks, told, corrected, progress)
    else:
        found = measure.at(stacks, None, progress, corrected)
    level, rest = _corrected(found), found.dimension - found.trace
    # tr (1 - J)^2; Var |r|^2 = 2 sigma^4 times this.
    squares = rest - found.trace + found.effective_dimension
    squares = np.where(squares > 0, squares, np.nan)
    # What is taken for noise is image if the level is too high, so that errors grow by rest / squares where J
    # follows the level: that is what the information in y leaves, d log p / d sigma^2 having the variance
    # squares / (2 sigma^4).
    follows = not _has_one_level(measure.denoiser)
    of_noise = np.sqrt(2 / squares) if follows else np.sqrt(2 * squares) / rest
    # A blind one does not know tr J.
    of_trace = found.trace_error / (squares if measure.denoiser.told else rest)
    return NoiseEstimates(
        _plain(found),
        level,
        level / 2 * of_trace,
        level / 2 * of_noise,
        wavelet,
        _scikit_image_level(stacks),
    )


def level_of_all(measure: ResidualTraces, noisy: np.ndarray) -> float | None:
    """`NoiseEstimates.corrected` of images that have one level of noise; None where there is none.

    Args:
        measure: of a blind denoiser.
        noisy: y, (N, H, W, C).
    """
    try:
        stacks = measure.stacks(noisy)
    except InputError:
        # Such as grey ones for a network of images in colour.
        return None
    found = measure.at(stacks, None, lambda done, total: None)
    rest = np.sum(found.dimension - found.trace)
    return float(np.sqrt(found.power.sum() / rest)) if rest > 0 else None


def _has_one_level(denoiser):
    """Whether it is a formula for one noise level, whatever that of an image is."""
    return isinstance(denoiser, Baseline) and denoiser.residual_layer.sigma is not None


def _plain(found: Measured):
    return np.sqrt(found.power / found.dimension)


def _corrected(found: Measured):
    rest = found.dimension - found.trace
    return np.sqrt(found.power / np.where(rest > 0, rest, np.nan))


def _until_it_stays(measure, stacks, told, corrected, progress):
    """What is `Measured` at the level that it gives, for a denoiser that is told the level."""
    low, high = measure.denoiser.limits
    told = np.broadcast_to(told, sum(map(len, stacks)))
    done = 0
    while True:
        told = np.clip(told, max(low, _LEAST), high)
        found = measure.at(stacks, told, share(progress, done, _ROUNDS), corrected)
        done += 1
        level = _corrected(found) if corrected else _plain(found)
        if done == _ROUNDS or np.all(np.abs(level / told - 1) <= _SAME):
            progress(1, 1)
            return found
        told = np.where(np.isnan(level), told, level)


def _scikit_image_level(stacks):
    if importlib.util.find_spec("skimage") is None:
        return None
    from skimage.restoration import estimate_sigma

    images = [to_float(image, None) for stack in stacks for image in stack]
    return np.array(
        [estimate_sigma(image, average_sigmas=True, channel_axis=-1) for image in images]
    )
