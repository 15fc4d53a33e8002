"""How far a network sees: the side of the square with which a local optimum explains it best.

Kamb and Ganguli (arXiv 2412.20292) find it for each noise level, and hold the local optimum with these sides
against the network.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.baselines import LocalBayes
from keras_gahr.baselines.sides import Sides
from keras_gahr.datasets.stacks import as_stack, pixel_values
from keras_gahr.denoisers import DenoiserLike, Inference, as_inference
from keras_gahr.errors import InputError
from keras_gahr.noise import check_levels, check_seed, check_units
from keras_gahr.progress import Progress, shows_progress
from keras_gahr.psnr import add_noise

from .saved_numbers import SavedNumbers, files_called

if TYPE_CHECKING:
    from keras_gahr.result import Figure

SIDES = (3, 5, 7, 9, 11, 13, 15, 17)
"""Sides that are tried."""

COMPARED = ("denoised", "residual")

_FILE = "calibration.csv"
_ROUNDING = 1e-6

_LARGEST_FILE = 2**20


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Calibration(SavedNumbers):
    """How well local optima explain a network, by noise level and side of their square.

    Attributes:
        sigmas: float64 (S,), ascending, in units of [0, 1].
        candidates: int64 (K,), ascending, the sides that were tried, in pixels.
        correlation: float64 (S, K, N): of each image's pixels in the network's and in the optimum's result.
        rule, boundary: of the optimum; see `LocalBayes`.
        compared: "denoised" or "residual", what was compared.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import Calibration
        >>> r = np.array([[[0.9, 0.8]], [[0.6, 0.9]]]).transpose(1, 0, 2)
        >>> found = Calibration(np.array([0.1]), np.array([3, 5]), r, "equivariant", "cut", "denoised")
        >>> found.sides, found.median.round(3)
        ([(0.1, 3)], array([0.725]))
    """

    FILES: ClassVar[tuple[str, ...]] = (*files_called("calibration"), _FILE)
    SHOWN: ClassVar[tuple[str, ...]] = ("sides", "median")

    sigmas: np.ndarray
    candidates: np.ndarray
    correlation: np.ndarray
    rule: str
    boundary: str
    compared: str

    @property
    def r_squared(self) -> np.ndarray:
        """r^2 of each image, the square of the correlation, (S, K, N); 0 where it is negative."""
        return np.maximum(self.correlation, 0) ** 2

    @property
    def sides(self) -> list[tuple[float, int]]:
        """(sigma, side) for each level: the side with the largest median r^2, the smallest of several.

        `LocalBayes` takes it for its `patch`.
        """
        best = np.median(self.r_squared, axis=2).argmax(axis=1)
        return list(zip(self.sigmas.tolist(), self.candidates[best].tolist(), strict=True))

    @property
    def median(self) -> np.ndarray:
        """The median r^2 over images at these sides, (S,)."""
        return np.median(self.r_squared, axis=2).max(axis=1)

    @property
    def median_of_best(self) -> np.ndarray:
        """The median over images of the side that is best for each, (S,): what the published code takes.

        Where two are in the middle, it is the smaller one.
        """
        best = np.sort(self.candidates[self.correlation.argmax(axis=1)], axis=1)
        return best[:, (best.shape[1] - 1) // 2]

    def numbers(self) -> dict[str, Any]:
        """The sides and all medians, as JSON has them."""
        return {
            "rule": self.rule,
            "boundary": self.boundary,
            "compared": self.compared,
            "images": self.correlation.shape[2],
            "sides": self.candidates.tolist(),
            "levels": self._rows(),
        }

    def _rows(self):
        medians = np.median(self.r_squared, axis=2)
        return [
            {
                "sigma": sigma,
                "side": side,
                "median_r_squared": float(values.max()),
                "median_of_best_sides": int(of_best),
                **{
                    f"side_{tried}": float(value)
                    for tried, value in zip(self.candidates, values, strict=True)
                },
            }
            for (sigma, side), of_best, values in zip(
                self.sides, self.median_of_best, medians, strict=True
            )
        ]

    def plot(self, *, title: str = "") -> Figure:
        """A figure: the median r^2 over noise levels, a line for each side."""
        return self._figure(title=title)

    def _write(self, folder: Path, facts: dict[str, Any]) -> None:
        super()._write(folder, facts)
        rows = self._rows()
        with open(folder / _FILE, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


@shows_progress("calibrating")
def calibrate(
    denoiser: DenoiserLike,
    train_images: ArrayLike,
    images: ArrayLike | Mapping[float, ArrayLike],
    sigmas: Sequence[float] | None = None,
    sides: Sequence[int] = SIDES,
    rule: str = "equivariant",
    boundary: str = "cut",
    compared: str = "denoised",
    seed: int = 0,
    progress: Progress = None,
) -> Calibration:
    """Finds the side of the square with which a local optimum explains a network best, for each noise level.

    For each image it takes the correlation r over all pixels and channels, each result minus its mean, of
    what the network and the optimum make of it. Explained is r^2. The code published with the paper prints
    r and calls it r^2; the side that is best for an image is the same. It compares noise (`compared` =
    "residual") along samplings, where denoised images are nearly alike at small noise, and takes the median
    of each image's best side, which is `Calibration.median_of_best`.

    Args:
        denoiser: see `as_denoiser`; of as many channels out as in.
        train_images: what the network was trained on, (N, H, W, C) or (N, H, W), uint8 or floats in [0, 1].
        images: clean images, to which noise is added; or a mapping from noise levels to noisy images, as many
            at each, such as states of a sampler.
        sigmas: noise levels above 0, in units of [0, 1], for clean images.
        sides: to try, odd, in pixels.
        rule, boundary: of the optimum; see `LocalBayes`.
        compared: "denoised", or "residual" for the noise that was found.
        seed: of the noise.
        progress: called as progress(optima tried, optima in all).

    Raises:
        InputError: for no noise levels, sides that are not odd, or images that do not fit.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((8, 12, 12))
        >>> network = kg.baselines.LocalBayes(images, 5, sigma=0.2)
        >>> found = kg.analysis.calibrate(network, images, images[:2], [0.2], (3, 5, 7), rule="local")
        >>> found.sides
        [(0.2, 5)]
    """
    assert callable(progress)  # As the decorator makes it.
    if compared not in COMPARED:
        raise InputError(f"received compared = {compared!r}, expected {' or '.join(COMPARED)}")
    network = as_inference(denoiser)
    noisy = _noisy_images(images, sigmas, check_seed(seed))
    tried = [Sides(side).of(1.0) for side in sorted({*sides})]
    if not tried:
        raise InputError("received no sides: expected some odd ones, such as 3, 5, 7")
    found = np.empty((len(noisy), len(tried), len(next(iter(noisy.values())))))
    given = [
        _compared(network.denoise(images, sigma=sigma), images, compared)
        for sigma, images in noisy.items()
    ]
    for at, side in enumerate(tried):
        # Compiled once for all levels.
        optimum = LocalBayes(train_images, side, rule, boundary, sigma=1.0)
        inference = Inference(optimum, network.batch_size)
        for level, (sigma, images) in enumerate(noisy.items()):
            optimum.set_sigma(sigma)
            expected = _compared(inference.denoise(images), images, compared)
            found[level, at] = correlations(given[level], expected)
            progress(at * len(noisy) + level + 1, len(tried) * len(noisy))
    return Calibration(np.array([*noisy]), np.array(tried), found, rule, boundary, compared)


def read_sides(path: str | Path) -> list[tuple[float, int]]:
    """The sides of a calibration that was saved, for `LocalBayes`.

    Args:
        path: the folder, or its calibration.csv: any table with the columns sigma and side.

    Raises:
        InputError: if there is none.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from keras_gahr.analysis import read_sides
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "sides.csv"
        ...     _ = path.write_text("sigma,side\\n0.1,3\\n1,15\\n")
        ...     read_sides(path)
        [(0.1, 3), (1.0, 15)]
    """
    path = Path(path)
    path = path / _FILE if path.is_dir() else path
    expected = f"a side such as 15, or a table with the columns sigma and side, as {_FILE}"
    if not path.is_file() or path.stat().st_size > _LARGEST_FILE:
        raise InputError(f"{path} is no table of sides: expected {expected}")
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [(float(row["sigma"]), int(row["side"])) for row in csv.DictReader(file)]
    except (KeyError, TypeError, ValueError, csv.Error):
        raise InputError(f"{path} is no table of sides: expected {expected}") from None
    Sides(rows)
    return rows


def _noisy_images(images, sigmas, seed):
    """Noisy images by noise level, ascending."""
    if isinstance(images, Mapping):
        if sigmas is not None:
            raise InputError("received noisy images by noise level, and sigmas: leave these out")
        levels = list(map(check_units, check_levels([*images])))
        noisy = {
            float(level): pixel_values(as_stack(images[level], limits=None))
            for level in sorted(levels)
        }
        if len({len(stack) for stack in noisy.values()}) > 1:
            raise InputError("received different numbers of images: expected as many at each level")
    else:
        if sigmas is None:
            raise InputError("received no noise levels: give sigmas")
        clean = pixel_values(as_stack(images))
        levels = sorted(map(check_units, check_levels(sigmas)))
        noisy = {float(level): add_noise(clean, level, seed) for level in levels}
    return noisy


def _compared(denoised, noisy, compared):
    return denoised if compared == "denoised" else noisy - denoised


def correlations(first, second):
    """The correlation of the pixels of each image, (N,); 0 where one is constant but for rounding."""
    parts = []
    for images in (first, second):
        values = np.float64(images.reshape(len(images), -1))
        deviation = values - values.mean(axis=1, keepdims=True)
        length = np.linalg.norm(deviation, axis=1)
        constant = length <= _ROUNDING * np.linalg.norm(values, axis=1)
        parts.append(deviation / np.where(constant, np.inf, length)[:, None])
    return np.sum(parts[0] * parts[1], axis=1)
