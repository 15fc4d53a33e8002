"""The whole spectrum of a denoiser's Jacobian, from products with random signs.

For independent signs g the masses <g, u>^2 at the eigenvalues of A = (J + J^T) / 2, u the eigenvectors,
are 1 each on average. Stochastic Lanczos quadrature (Golub and Meurant; Lin, Saad and Yang, arXiv
1308.5467; Ubaru, Chen and Saad, 2017) finds what a few products with A say of them. The best denoiser's A
is its Jacobian, with eigenvalues from 0 to 1: how much of the noise in each direction it leaves, that is
of how much it takes for image.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from keras_gahr.datasets.arrays import NOISY
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DenoiserLike
from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, check_seed, check_whole
from keras_gahr.progress import Progress, shows_progress
from keras_gahr.result import Result

from .intervals import CONFIDENCE, standard_error
from .jacobian import Linearizer, as_linearizer
from .krylov import tridiagonals
from .quadrature import gauss, mass_above
from .saved_numbers import SavedNumbers, files_called
from .traces import PROBES, probe_signs

if TYPE_CHECKING:
    from keras_gahr.result import Figure

THRESHOLD = 0.5
"""Of a direction with a larger eigenvalue more is kept than taken away."""

_MOST_BYTES = 2**28
"""Of all Krylov bases that are kept at a time, if one is not larger."""

_WIDTHS = 50
"""Widths of the smoothing in the range of the eigenvalues, at most."""

_POINTS = 201
"""Places at which a smoothed density is saved and drawn; every fourth has the counts above it."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CountAbove(Result):
    """How many eigenvalues are above a threshold, at N images.

    Attributes:
        threshold: the threshold.
        value: float64 (N,), estimates: the middle between the bounds.
        standard_error: float64 (N,), theirs over the probes; 0 where exact.
        bounds: float64 (N, 2): means over the probes of strict bounds of what each probe would say after
            as many steps as there are values. How far they are apart is what more steps would make
            smaller; the standard error is what more probes would.
        interval: float64 (N, 2), 95%: from the lower bound less what the probes leave open, Student's, to
            the upper one and that.
        mean_interval: the same of the mean over these images, from what each probe says of all of them.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> vectors = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 3)))[0]
        >>> plane = kg.baselines.Wiener(np.full((8, 8, 1), 0.5), vectors, np.full(3, 9.0), sigma=0.1)
        >>> found = kg.analysis.spectral_density(plane, np.full((8, 8), 0.5)).count_above(0.5)
        >>> bool(found.interval[0, 0] <= 3 <= found.interval[0, 1]), bool(np.ptp(found.bounds) < 0.001)
        (True, True)
    """

    threshold: float
    value: np.ndarray
    standard_error: np.ndarray
    bounds: np.ndarray
    interval: np.ndarray
    mean_interval: tuple[float, float]

    @property
    def mean(self) -> tuple[float, tuple[float, float]]:
        """Over these images, and its 95% interval: (value, (low, high))."""
        return float(self.value.mean()), self.mean_interval


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SpectralDensity(SavedNumbers):
    """The eigenvalues of (J + J^T) / 2 at N images of d values, as P probes and m products with each see
    them.

    Attributes:
        nodes: float64 (N, P, m), ascending; or all eigenvalues, (N, 1, d).
        weights: float64 (N, P, m), how many eigenvalues each stands for: d in all.
        coupling: float64 (N, P, m), what the next step would mix into each; 0 where all is known.
        size: d.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import SpectralDensity
        >>> nodes = np.array([[[0.0, 0.2, 0.9, 1.1]]])
        >>> found = SpectralDensity(nodes, np.ones_like(nodes), np.zeros_like(nodes), 4)
        >>> found.trace.round(3), found.count_above(0.5).value
        (array([2.2]), array([2.]))
    """

    FILES: ClassVar[tuple[str, ...]] = files_called("spectrum")
    SHOWN: ClassVar[tuple[str, ...]] = ("trace",)

    nodes: np.ndarray
    weights: np.ndarray
    coupling: np.ndarray
    size: int

    @classmethod
    def of_all(cls, parts: Sequence[SpectralDensity]) -> SpectralDensity:
        """That of images of one size which were looked at with the same probes and steps, together."""
        return cls(
            np.concatenate([part.nodes for part in parts]),
            np.concatenate([part.weights for part in parts]),
            np.concatenate([part.coupling for part in parts]),
            parts[0].size,
        )

    @property
    def exact(self) -> bool:
        """Whether these are all eigenvalues."""
        return self.nodes.shape[1] == 1

    @property
    def trace(self) -> np.ndarray:
        """tr J, (N,): what `trace` finds with the same seed and as many probes."""
        return self._moments(1).mean(axis=1)

    @property
    def trace_error(self) -> np.ndarray:
        """Its standard error over the probes, (N,)."""
        return self._error(self._moments(1))

    @property
    def effective_dimension(self) -> np.ndarray:
        """The sum of the squared eigenvalues, |(J + J^T) / 2|_F^2, (N,), which is not above |J|_F^2."""
        return self._moments(2).mean(axis=1)

    @property
    def effective_dimension_error(self) -> np.ndarray:
        """Its standard error over the probes, (N,)."""
        return self._error(self._moments(2))

    @property
    def width(self) -> float:
        """What `density` smooths by, as a rule: the range of the nodes by the steps, or by 50."""
        return max(float(np.ptp(self.nodes)), 1e-3) / min(self.nodes.shape[2], _WIDTHS)

    @property
    def grid(self) -> np.ndarray:
        """Places from below all nodes to above them, (201,)."""
        margin = 2 * self.width
        return np.linspace(self.nodes.min() - margin, self.nodes.max() + margin, _POINTS)

    def density(self, values: ArrayLike, width: float | None = None) -> np.ndarray:
        """How many eigenvalues there are around some values, per unit of length.

        Args:
            values: (V,).
            width: standard deviation of the Gaussian by which they are smoothed; default: `width`. A
                smaller one shows nodes, not eigenvalues, unless all are known.

        Returns:
            Float64 (N, V), means over the probes.

        Raises:
            InputError: for a width that is not above 0.

        Examples:
            >>> import keras_gahr as kg, numpy as np
            >>> images = np.random.default_rng(0).random((40, 8, 8))
            >>> wiener = kg.baselines.Wiener.from_images(images, sigma=0.3)
            >>> found = kg.analysis.spectral_density(wiener, images[0], probes=4)
            >>> values = np.linspace(-2, 3, 501)
            >>> float(found.density(values).sum() * 0.01).__round__(3)
            64.0
        """
        if width is None:
            width = self.width
        elif (width := check_number(width, "width")) <= 0:
            raise InputError(f"received width {width}, expected one above 0")
        found = [
            np.mean(np.sum(self.weights * _bell(value - self.nodes, width), axis=2), axis=1)
            for value in np.asarray(values, np.float64)
        ]
        return np.stack(found, axis=1)

    def count_above(self, threshold: float = THRESHOLD) -> CountAbove:
        """How many eigenvalues are above a threshold, with strict bounds and intervals.

        Args:
            threshold: any number.

        Examples:
            >>> import keras_gahr as kg, numpy as np
            >>> images = np.random.default_rng(0).random((40, 8, 8))
            >>> wiener = kg.baselines.Wiener.from_images(images, sigma=0.3)
            >>> found = kg.analysis.spectral_density(wiener, images[0], steps=64)
            >>> found.count_above(0.5).value, found.count_above(0.5).standard_error
            (array([19.]), array([0.]))
        """
        threshold = check_number(threshold, "threshold")
        bounds = np.stack(mass_above(threshold, self.nodes, self.weights, self.coupling))
        low, high = self._interval(bounds.mean(axis=1))
        return CountAbove(
            threshold=threshold,
            value=bounds.mean(axis=(0, 2)),
            standard_error=self._error(bounds.mean(axis=0)),
            bounds=bounds.mean(axis=2).T,
            interval=self._interval(bounds).T,
            mean_interval=(float(low), float(high)),
        )

    def counts(self, values: ArrayLike) -> np.ndarray:
        """Bounds of how many eigenvalues are above some values, means over images and probes.

        Args:
            values: (V,).

        Returns:
            Float64 (V, 2).
        """
        return np.array(
            [
                self.count_above(float(value)).bounds.mean(axis=0)
                for value in np.asarray(values, np.float64)
            ]
        )

    def numbers(self) -> dict[str, Any]:
        """Of each image tr J and what is above 1/2, and the mean density over images, as JSON has them."""
        above, grid = self.count_above(), self.grid
        mean, interval = above.mean
        return {
            "images": len(self.nodes),
            "size": self.size,
            "exact": self.exact,
            "probes": 0 if self.exact else self.nodes.shape[1],
            "steps": self.nodes.shape[2],
            "trace": self.trace.tolist(),
            "trace_error": self.trace_error.tolist(),
            "effective_dimension": self.effective_dimension.tolist(),
            "effective_dimension_error": self.effective_dimension_error.tolist(),
            "threshold": above.threshold,
            "mean_above": mean,
            "mean_above_95": list(interval),
            "above": above.value.tolist(),
            "above_error": above.standard_error.tolist(),
            "above_bounds": above.bounds.tolist(),
            "above_95": above.interval.tolist(),
            "width": self.width,
            "grid": grid.tolist(),
            "density": self.density(grid).mean(axis=0).tolist(),
            "counts_above": self.counts(grid[::4]).tolist(),
        }

    def plot(self, *, title: str = "") -> Figure:
        """A figure: the density, and how many eigenvalues are above each value; means over images."""
        return self._figure(title=title)

    def _moments(self, power):
        return np.sum(self.weights * self.nodes**power, axis=2)

    def _interval(self, bounds):
        """The lower bounds less what the probes leave open, and the upper ones and that, (2, ...)."""
        reach = stats.t.ppf((1 + CONFIDENCE) / 2, max(self.nodes.shape[1] - 1, 1))
        low, high = bounds.mean(axis=-1)
        low_error, high_error = reach * self._error(bounds)
        return np.clip([low - low_error, high + high_error], 0, self.size)

    def _error(self, values):
        """Of means over the probes, the last axis."""
        return np.zeros(values.shape[:-1]) if self.exact else standard_error(values)


@shows_progress("products")
def spectral_density(
    denoiser: DenoiserLike | Linearizer,
    noisy: ArrayLike,
    *,
    sigma: ArrayLike | None = None,
    probes: int = PROBES,
    steps: int = 32,
    seed: int = 0,
    first: int = 0,
    progress: Progress = None,
) -> SpectralDensity:
    """The spectrum of the symmetric part of a denoiser's Jacobian, (J + J^T) / 2, at each of some images.

    Each probe costs so many products with J and J^T. With as many steps as an image has values, d, no
    probes are needed: J itself is computed row by row, and its eigenvalues are exact. The signs are those
    of `trace`, keyed by
    the seed, the image's index and the probe's, so that no result depends on how many are computed at
    once. Bases are kept orthogonal in full, in float64: 8 `steps` d bytes each.

    Args:
        denoiser: see `as_denoiser`, or a `Linearizer` of one, which is compiled once for many calls.
        noisy: y, (N, H, W), (N, H, W, C) or one image (H, W), (H, W, C): uint8 in 0..255, or floats in the
            units of [0, 1]. Images of any size: see `Linearizer.blocks`.
        sigma: the noise level, or one for each image, of a denoiser that is told it.
        probes: P, at least 2: more make standard errors smaller.
        steps: m: more bring bounds closer. From d on all eigenvalues are computed.
        seed: of the probes.
        first: the index of the first image.
        progress: called with (products done, products in all).

    Returns:
        The `SpectralDensity`.

    Raises:
        InputError: for numbers out of range, or images that do not fit.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((40, 8, 8))
        >>> wiener = kg.baselines.Wiener.from_images(images, sigma=0.3)
        >>> found = kg.analysis.spectral_density(wiener, images[:2], probes=8, steps=16)
        >>> low, high = found.count_above(0.5).interval.T
        >>> bool(np.all((low < 19) & (19 < high)))
        True
    """
    assert callable(progress)  # As the decorator makes it.
    linearizer = as_linearizer(denoiser)
    noisy = as_stack(noisy, linearizer.denoiser.input_channels, NOISY)
    levels = linearizer.denoiser.check_levels(sigma, len(noisy))
    size = noisy[0].size
    probes = check_whole(probes, "probes", 2)
    steps = min(check_whole(steps, "steps", 2), size)
    seed = check_seed(seed)
    first = check_whole(first, "first", 0)
    shape = (len(noisy), 1, size) if steps == size else (len(noisy), probes, steps)
    nodes, weights, coupling = found = np.zeros((3, *shape))
    at_once = max(1, _MOST_BYTES // (8 * steps * size))
    per_image = size if steps == size else 2 * probes * steps
    for start in range(0, len(noisy), at_once):
        some = slice(start, start + at_once)
        there = None if levels is None else levels[some]
        for images, jacobians in linearizer.blocks(noisy[some], there):
            places = slice(start + images.start, start + images.stop)

            def report(done, before=places.start, count=places.stop - places.start):
                progress(before * per_image + count * done, len(noisy) * per_image)

            if steps == size:
                nodes[places, 0] = _eigenvalues(jacobians, report)
                weights[places] = 1
                continue
            indices = range(first + places.start, first + places.stop)
            group = max(1, at_once // len(indices))
            for low in range(0, probes, group):
                some_probes = range(low, min(low + group, probes))
                signs = np.stack(
                    [probe_signs(seed, index, some_probes, jacobians.shape) for index in indices]
                )
                found[:, places, low : some_probes.stop] = _quadrature(
                    jacobians, signs, steps, lambda done, low=low: report(2 * steps * low + done)
                )
    if steps < size:
        weights *= size
    return SpectralDensity(nodes, weights, coupling, size)


def _quadrature(jacobians, signs, steps, report):
    """Nodes, weights and couplings, (3, b, p, steps), from signs (b, p, height, width, channels)."""
    images, probes = signs.shape[:2]
    done = 0

    def apply(rows):
        nonlocal done
        products = jacobians.apply_symmetric(rows.reshape(signs.shape))
        done += 2 * probes
        report(done)
        return products.reshape(rows.shape)

    diagonals, beside = tridiagonals(apply, signs.reshape(images * probes, -1), steps)
    return np.stack(gauss(diagonals, beside)).reshape(3, images, probes, steps)


def _eigenvalues(jacobians, report):
    """All of them, float64 (b, d)."""
    size, count = jacobians.dimension, len(jacobians.noisy)
    rows = np.empty((count, size, size), np.float32)
    for start in range(0, size, PROBES):
        some = np.arange(start, min(start + PROBES, size))
        units = np.zeros((count, len(some), size), np.float32)
        units[:, np.arange(len(some)), some] = 1
        found = jacobians.apply_transposed(units.reshape(count, len(some), *jacobians.shape))
        rows[:, some] = found.reshape(units.shape)
        report(some[-1] + 1)
    return np.stack([np.linalg.eigvalsh((j + j.T) / 2) for j in rows.astype(np.float64)])


def _bell(values, width):
    return np.exp(-0.5 * (values / width) ** 2) / (np.sqrt(2 * np.pi) * width)
