"""PSNR over noise levels, with error bars (arXiv 2310.02557, figures 1 and 4)."""

from __future__ import annotations

import dataclasses
import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.baselines.baseline import Baseline
from keras_gahr.datasets import Dataset
from keras_gahr.datasets.arrays import CLEAN, NOISY
from keras_gahr.datasets.image_arrays import array_of, check_images
from keras_gahr.datasets.stacks import pixel_values
from keras_gahr.denoisers import DenoiserLike, Inference, as_inference
from keras_gahr.errors import InputError
from keras_gahr.noise import check_levels, check_seed, check_whole
from keras_gahr.progress import Progress, shows_progress
from keras_gahr.psnr import SIGMAS, psnr_at
from keras_gahr.result import SavedResult

from .intervals import standard_error
from .psnr_files import PSNRCurves

if TYPE_CHECKING:
    from keras_gahr.result import Figure


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PSNRCurve(SavedResult):
    """PSNR in dB of one set of images at several noise levels, ascending.

    `PSNRCurves` save and draw several, with their names and slopes.

    Attributes:
        sigmas: float64 (S,), in units of [0, 1].
        before, after: float64 (S, draws, N), each noisy and each denoised image.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import PSNRCurve
        >>> curve = PSNRCurve(np.array([0.1, 1]), np.zeros((2, 1, 3)), np.ones((2, 1, 3)))
        >>> curve.input_psnr, curve.mean
        (array([20., -0.]), array([1., 1.]))
    """

    FILES: ClassVar[tuple[str, ...]] = PSNRCurves.FILES
    SHOWN: ClassVar[tuple[str, ...]] = ("mean",)

    sigmas: np.ndarray
    before: np.ndarray
    after: np.ndarray

    @property
    def alone(self) -> PSNRCurves:
        """`PSNRCurves` of this set of images, called "all": they save and draw it."""
        return PSNRCurves((("all", self, None),))

    def plot(self, *, title: str = "") -> Figure:
        """A figure with the curve: PSNR of denoised images against that of noisy ones."""
        return self._figure(title=title)

    def _write(self, folder: Path, facts: dict[str, Any]) -> None:
        self.alone._write(folder, facts)

    @property
    def input_psnr(self) -> np.ndarray:
        """-20 log10(sigma), the PSNR of the noisy images in expectation, (S,)."""
        return -20 * np.log10(self.sigmas)

    @property
    def mean(self) -> np.ndarray:
        """Mean PSNR of the denoised images, over images and draws, (S,)."""
        return self.after.mean(axis=(1, 2))

    @property
    def error_over_images(self) -> np.ndarray:
        """Standard error of the mean if the images were drawn anew, (S,); NaN for one image."""
        return standard_error(self.after.mean(axis=1))

    @property
    def error_over_draws(self) -> np.ndarray:
        """Standard error of the mean if only the noise were drawn anew, (S,); NaN for one draw."""
        return standard_error(self.after.mean(axis=2))


@shows_progress("measuring")
def psnr_curve(
    denoiser: DenoiserLike,
    images: ArrayLike | list | Dataset,
    sigmas: Sequence[float] | None = None,
    draws: int = 1,
    seed: int = 0,
    told: bool = False,
    progress: Progress = None,
) -> PSNRCurve:
    """Measures a `PSNRCurve`.

    Args:
        denoiser: see `as_denoiser`.
        images: clean images (H, W), (H, W, C), (N, H, W) or (N, H, W, C), uint8 in 0..255 or floats in
            [0, 1], or a list of such arrays, whose images may have different sizes, or a `Dataset`;
            wavelet bands for a conditional denoiser. Only what a pass of the network takes is in memory
            as floats.
        sigmas: noise levels above 0, in any order; default: `keras_gahr.psnr.SIGMAS`, those of them
            that the denoiser knows if it is told the level.
        draws: independent noise draws of each image.
        seed: of the noise; draw 0 has the noise of `keras_gahr.psnr.psnr_at`.
        told: whether a baseline is told each noise level, even if it was made to estimate it. That of
            the best linear denoiser (`Wiener`) is a bound of linear ones only then: a Gaussian law takes
            contours for noise.
        progress: called as progress(passes done, passes in all).

    Warns:
        UserWarning: if noise levels are left out.

    Raises:
        InputError: for no noise levels, some that are not above 0, repeated ones, fewer than one
            draw, something else than images, denoised images that are not finite, or a denoiser that is
            to be told and is no baseline.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> kg.psnr_curve(denoiser, np.full((2, 16, 16), 128, np.uint8), sigmas=[0.1, 0.5]).mean.shape
        (2,)
    """
    assert callable(progress)  # As the decorator makes it.
    inference = as_inference(denoiser)
    stacks, limits = _stacks(inference.denoiser, images)
    firsts = list(itertools.accumulate(map(len, stacks[:-1]), initial=0))
    sigmas = _known(inference.denoiser) if sigmas is None else check_levels(sigmas)
    levels = np.array(sorted(sigmas), np.float64)
    for level in levels:
        inference.denoiser.check_sigma(level)
    if len(set(levels)) < len(levels):
        raise InputError("received a noise level twice: leave one out")
    draws = check_whole(draws, "draws", 0)
    if draws < 1:
        raise InputError(f"received {draws} noise draws, expected at least 1")
    seed = check_seed(seed)
    if told:
        inference = _told(inference, levels[0])
    values = np.empty((2, len(levels), draws, sum(map(len, stacks))))
    for level, sigma in enumerate(levels):
        if told:
            inference.denoiser.set_sigma(sigma)
        for draw in range(draws):
            found = [
                psnr_at(inference, stack, sigma, seed, draw, first, limits)
                for stack, first in zip(stacks, firsts, strict=True)
            ]
            values[:, level, draw] = np.concatenate(found, axis=1)
            progress(level * draws + draw + 1, len(levels) * draws)
    if not np.isfinite(values).all():
        raise InputError("the denoised images are not finite: the denoiser is damaged")
    return PSNRCurve(levels, *values)


def _told(inference, sigma):
    """An `Inference` of a copy of a baseline whose level can be set."""
    if not isinstance(inference.denoiser, Baseline):
        raise InputError(
            "received a denoiser that is no baseline, which is blind or told each noise level anyway: leave "
            "out told (--told)"
        )
    known = inference.denoiser.knowing(sigma)
    return Inference(known, inference.batch_size, inference.memory, inference.pad)


def _known(denoiser):
    """The levels of `SIGMAS` that a denoiser knows; says if some were left out."""
    known = denoiser.known(SIGMAS)
    if len(known) < len(SIGMAS):
        low, high = denoiser.limits
        warnings.warn(
            f"{len(SIGMAS) - len(known)} of {len(SIGMAS)} noise levels were left out, since this network "
            f"knows those from {low:.4g} to {high:.4g} only",
            stacklevel=5,
        )
    return known


def _stacks(denoiser, images):
    """Clean images as they are, (N, H, W, C), an array for each size; and the limits of floats."""
    if isinstance(images, Dataset):
        return [images.images], images.value_range
    if denoiser.input_channels != denoiser.output_channels:
        return [pixel_values(images, NOISY)], None
    several = images if isinstance(images, list | tuple) else [images]
    if not several:
        raise InputError("received no images, expected at least one")
    channels = denoiser.input_channels
    return [check_images(array_of(each), "the array", channels)[0] for each in several], CLEAN
