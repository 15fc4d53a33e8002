"""How well a denoiser estimates noise levels that are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets import Dataset
from keras_gahr.datasets.arrays import to_float
from keras_gahr.denoisers import DenoiserLike
from keras_gahr.errors import InputError
from keras_gahr.noise import check_levels, check_seed
from keras_gahr.progress import Progress, share, shows_progress
from keras_gahr.psnr import SIGMAS, add_noise

from .intervals import mean_interval
from .noise_levels import levels_of
from .residual_traces import ResidualTraces
from .saved_numbers import SavedNumbers, files_called
from .traces import PROBES

ESTIMATES = ("plain", "corrected", "wavelet", "scikit_image")
"""Ways to estimate a noise level, by the names of `NoiseEstimates`."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class NoiseCalibration(SavedNumbers):
    """Estimates of known noise levels, in units of [0, 1].

    Attributes:
        sigmas: float64 (S,), the levels, ascending.
        estimates: from the names of `NoiseEstimates`, such as "corrected", to float64 (S, N): what was
            estimated at each level in each image.
        standard_error: float64 (S, N), that of "corrected"; see `NoiseEstimates.standard_error`.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import NoiseCalibration
        >>> found = {"plain": np.array([[0.09, 0.11]])}
        >>> NoiseCalibration(np.array([0.1]), found, np.array([[0.01, 0.01]])).ratios["plain"].round(2)
        array([1.])
    """

    FILES: ClassVar[tuple[str, ...]] = files_called("noise_calibration")
    SHOWN: ClassVar[tuple[str, ...]] = ("ratios",)

    sigmas: np.ndarray
    estimates: dict[str, np.ndarray]
    standard_error: np.ndarray

    @property
    def ratios(self) -> dict[str, np.ndarray]:
        """Estimated over known levels by name, means over the images, (S,)."""
        return {name: rows.mean(axis=1) / self.sigmas for name, rows in self.estimates.items()}

    @property
    def intervals(self) -> dict[str, np.ndarray]:
        """95% intervals of these means over images, (S, 2); NaN for one image."""
        return {
            name: np.array([mean_interval(row) for row in rows / self.sigmas[:, None]])
            for name, rows in self.estimates.items()
        }

    def numbers(self) -> dict[str, Any]:
        """Means, intervals and mean errors at each level, as JSON has them; null for none."""
        ratios, intervals = self.ratios, self.intervals
        return {
            "images": self.standard_error.shape[1],
            "levels": [
                {
                    "sigma": float(sigma),
                    "standard_error": _number(self.standard_error[place].mean()),
                    **{
                        name: {
                            "ratio": _number(ratios[name][place]),
                            "interval": [_number(end) for end in intervals[name][place]],
                        }
                        for name in self.estimates
                    },
                }
                for place, sigma in enumerate(self.sigmas)
            ],
        }

    def arrays(self) -> dict[str, np.ndarray]:
        return {**super().arrays(), **self.estimates}


def _number(value):
    return float(value) if np.isfinite(value) else None


@shows_progress("calibrating")
def noise_calibration(
    denoiser: DenoiserLike,
    images: ArrayLike | list | Dataset,
    sigmas: Sequence[float] | None = None,
    *,
    method: str = "hutchinson",
    probes: int = PROBES,
    error: float | None = None,
    seed: int = 0,
    progress: Progress = None,
) -> NoiseCalibration:
    """Estimates known noise levels by `noise_level`.

    A denoiser that is told the level begins with what the wavelets say, as it would without knowing it.

    Args:
        denoiser: see `as_denoiser`.
        images: clean ones, (H, W), (H, W, C), (N, H, W) or (N, H, W, C), uint8 in 0..255 or floats in
            [0, 1]; a list of such arrays, whose images may have different sizes; or a `Dataset`.
        sigmas: levels above 0, in units of [0, 1]; default: `keras_gahr.psnr.SIGMAS`, those of them that
            the denoiser knows.
        method, probes, error: of the trace; see `trace`.
        seed: of the noise and of the trace.
        progress: called with (done, total).

    Raises:
        InputError: for images that do not fit, or levels that are not above 0.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((64, 8, 8))
        >>> wiener = kg.baselines.Wiener.from_images(images)
        >>> found = kg.analysis.noise_calibration(wiener, images[:4], [0.2, 0.5])
        >>> found.estimates["corrected"].shape
        (2, 4)
    """
    assert callable(progress)  # As the decorator makes it.
    measure = ResidualTraces(denoiser, method=method, probes=probes, error=error, seed=seed)
    stacks = measure.stacks(images.images if isinstance(images, Dataset) else images)
    sigmas = measure.denoiser.known(SIGMAS) if sigmas is None else check_levels(sigmas)
    levels = np.array(sorted({*sigmas}), np.float64)
    for level in levels:
        measure.denoiser.check_sigma(level)
    seed = check_seed(seed)
    if not len(levels):
        raise InputError("received no noise levels that the denoiser knows: give sigmas")
    found = []
    for place, sigma in enumerate(levels):
        noisy, first = [], 0
        for stack in stacks:
            noisy.append(add_noise(to_float(stack, None), sigma, seed, first=first))
            first += len(stack)
        part = share(progress, place, len(levels))
        found.append(levels_of(measure, noisy, None, True, part))
    estimates = {
        name: np.stack([getattr(each, name) for each in found])
        for name in ESTIMATES
        if getattr(found[0], name) is not None
    }
    return NoiseCalibration(levels, estimates, np.stack([each.standard_error for each in found]))
