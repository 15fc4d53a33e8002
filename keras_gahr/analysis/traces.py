"""The traces of a denoiser's Jacobians at noisy images, from products with random signs.

For independent signs g, E <g, J g> = tr J and E |J g|^2 = |J|_F^2 (Hutchinson 1989). The variance of the
first comes from what J has outside its diagonal. Hutch++ (Meyer, Musco, Musco and Woodruff, arXiv 2010.09649)
takes the trace exactly on the span of some products, and by signs on what is left of the space, which is
better for spectra that fall quickly.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from keras_gahr.datasets.arrays import NOISY
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DenoiserLike
from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, check_seed, check_whole, keyed_signs
from keras_gahr.progress import Progress, shows_progress
from keras_gahr.result import Result

from .intervals import CONFIDENCE, standard_error
from .jacobian import Linearizer, as_linearizer

TRACE_METHODS = ("hutchinson", "hutch++", "exact")
"""Ways to find a trace; see `trace`."""

PROBES = 16
"""Products for each image, by default, and between two looks at the standard error."""

_FIRST_DRAW = 2**32
"""The draw of the first probe: images and samplers have noise of the draws from 0."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Traces(Result):
    """The traces of a denoiser's Jacobians J at N images of d values.

    For the best denoiser sigma^2 tr J / d is the mean squared error that it expects.

    Attributes:
        value: float64 (N,), estimates of tr J.
        standard_error: float64 (N,), theirs over the probes; 0 where exact.
        effective_dimension: float64 (N,), estimates of |J|_F^2, the sum of the squared singular values.
        effective_dimension_error: float64 (N,), their standard errors.
        probes: int64 (N,), random vectors behind the standard errors; 0 where exact.
        products: int64 (N,), products with J that were computed.
        dimension: d.
        method: one of `TRACE_METHODS`.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> options = {"num_channels": 1, "num_kernels": 4, "num_layers": 3, "seed": 0}
        >>> denoiser = kg.build_denoiser("bf-cnn", **options)
        >>> found = kg.analysis.trace(denoiser, np.full((2, 8, 8), 0.5), method="exact")
        >>> found.value.round(), found.dimension, found.interval.shape
        (array([64., 64.]), 64, (2, 2))
    """

    value: np.ndarray
    standard_error: np.ndarray
    effective_dimension: np.ndarray
    effective_dimension_error: np.ndarray
    probes: np.ndarray
    products: np.ndarray
    dimension: int
    method: str

    @property
    def interval(self) -> np.ndarray:
        """95% intervals of tr J, float64 (N, 2): Student's, over the probes."""
        return self.value[:, None] + self._reach * np.array([-1, 1])

    @property
    def _reach(self):
        quantiles = stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(self.probes - 1, 1))
        return (quantiles * self.standard_error)[:, None]


@shows_progress("products")
def trace(
    denoiser: DenoiserLike | Linearizer,
    noisy: ArrayLike,
    *,
    sigma: ArrayLike | None = None,
    method: str = "hutchinson",
    probes: int = PROBES,
    error: float | None = None,
    most: int | None = None,
    seed: int = 0,
    first: int = 0,
    progress: Progress = None,
) -> Traces:
    """The trace of a denoiser's Jacobian at each of some images.

    `hutchinson` takes the mean of <g, J g> over signs g. `hutch++` spends two thirds of the products on a
    subspace in which it is exact. `exact` takes all d columns. Each product costs one derivative backwards,
    whatever the denoiser; several images are computed at once. The signs are keyed by the seed, the image's
    index and the probe's, so that no result depends on how many are computed at once.

    Args:
        denoiser: see `as_denoiser`, or a `Linearizer` of one, which is compiled once for many calls.
        noisy: y, (N, H, W), (N, H, W, C) or one image (H, W), (H, W, C): uint8 in 0..255, or floats in the
            units of [0, 1]. Images of any size: see `Linearizer.blocks`.
        sigma: the noise level, or one for each image, of a denoiser that is told it.
        method: one of `TRACE_METHODS`.
        probes: products for each image, of which `hutch++` needs at least 4.
        error: a standard error: each image gets more probes until its own is not above. Default: as many
            as `probes`. Looking often at what decides when to stop makes intervals a little too narrow.
        most: products for each image where it stops in any case; default: d, as many as `exact` takes.
        seed: of the probes.
        first: the index of the first image.
        progress: called with (products done, products that are known to be needed).

    Returns:
        `Traces`.

    Warns:
        UserWarning: if the error was not reached.

    Raises:
        InputError: for an unknown method, numbers out of range, or images that do not fit.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((8, 8, 8))
        >>> wiener = kg.baselines.Wiener.from_images(images, sigma=0.1)
        >>> found = kg.analysis.trace(wiener, images[:2], error=0.5)
        >>> bool(found.standard_error.max() <= 0.5), bool(np.all(abs(found.value - 6.9) < 2))
        (True, True)
    """
    assert callable(progress)  # As the decorator makes it.
    if method not in TRACE_METHODS:
        raise InputError(f"received method {method!r}, expected one of {', '.join(TRACE_METHODS)}")
    linearizer = as_linearizer(denoiser)
    noisy = as_stack(noisy, linearizer.denoiser.input_channels, NOISY)
    levels = linearizer.denoiser.check_levels(sigma, len(noisy))
    dimension = noisy[0].size
    least = 4 if method == "hutch++" else 2
    probes = check_whole(probes, "probes", least)
    most = max(probes, dimension) if most is None else check_whole(most, "most", least)
    if error is not None and (error := check_number(error, "error")) <= 0:
        raise InputError(f"received error {error}, expected a standard error above 0")
    seed = check_seed(seed)
    first = check_whole(first, "first", 0)
    wanted = _Wanted(
        method, dimension if method == "exact" else min(probes, most), error, most, seed
    )
    estimates = [_Estimate(wanted, first + place, dimension) for place in range(len(noisy))]
    in_all = len(noisy) * wanted.products

    def report():
        done = sum(one.products for one in estimates)
        progress(done, max(done, in_all))

    _follow(linearizer, noisy, levels, estimates, report)
    names = [field.name for field in dataclasses.fields(Traces)][:-2]
    values = {name: np.array([getattr(one, name) for one in estimates]) for name in names}
    found = Traces(**values, dimension=dimension, method=method)
    if error is not None and (missed := np.count_nonzero(~(found.standard_error <= error))):
        warnings.warn(
            f"the standard error of {missed} of {len(noisy)} traces is above {error:g} after {most} "
            "products: allow more of them (most)",
            stacklevel=3,
        )
    return found


def probe_signs(seed: int, image: int, probes: Iterable[int], shape: tuple[int, ...]) -> np.ndarray:
    """The probes of an image, float32 (len(probes), *shape): signs keyed by seed, image and probe."""
    draws = [keyed_signs(seed, [image], _FIRST_DRAW + probe, shape)[0] for probe in probes]
    return np.stack(draws)


def _follow(linearizer, noisy, levels, estimates, report):
    """Gives the estimates at some images the products that they want, until all are done."""
    for images, jacobians in linearizer.blocks(noisy, levels):
        some = estimates[images]
        # They want as many each, of images that began together.
        while not any(one.is_done for one in some):
            vectors = np.stack([one.vectors(jacobians) for one in some])
            # Backwards alone: J^T has the trace of J, and every network has its products.
            products = jacobians.apply_transposed(vectors)
            for one, *pair in zip(some, vectors, products, strict=True):
                one.take(*pair)
            report()
        left = [place for place, one in enumerate(some) if not one.is_done]
        if left:
            there = None if levels is None else levels[images][left]
            _follow(linearizer, noisy[images][left], there, [some[at] for at in left], report)


@dataclasses.dataclass(frozen=True)
class _Wanted:
    """What `trace` was asked for; `products` for each image, before a look at the error."""

    method: str
    products: int
    error: float | None
    most: int
    seed: int


class _Estimate:
    """The trace at one image: wants products with vectors, and takes them."""

    def __init__(self, wanted, index, dimension):
        self._wanted = wanted
        self._index = index
        self._dimension = dimension
        self._captured = min(wanted.products // 3, dimension) if wanted.method == "hutch++" else 0
        self._span = np.empty((dimension, 0))
        self._drawn = 0
        self._exact_part = np.zeros(2)
        self._samples = np.empty((2, 0))
        self.products = 0

    @property
    def value(self):
        return self._exact_part[0] + self._mean[0]

    @property
    def effective_dimension(self):
        return self._exact_part[1] + self._mean[1]

    @property
    def standard_error(self):
        return self._errors[0]

    @property
    def effective_dimension_error(self):
        return self._errors[1]

    @property
    def probes(self):
        return self._samples.shape[1]

    @property
    def is_done(self):
        wanted = self._wanted
        if self.products < wanted.products:
            return False
        if wanted.error is None or wanted.method == "exact" or self.products >= wanted.most:
            return True
        return self.standard_error <= wanted.error

    def vectors(self, jacobians):
        """Some vectors, (count, *shape), of which it wants products."""
        if self.products < self._captured:
            # All at once: their products are made orthogonal together.
            return self._signs(self._captured, jacobians.shape)
        if self.products < 2 * self._captured:
            return self._span.T.reshape(-1, *jacobians.shape)
        beyond = self.products >= self._wanted.products
        end = self._wanted.most if beyond else self._wanted.products
        # Once the error decides, it does so after as many as are computed on every machine.
        most = PROBES if beyond else max(PROBES, jacobians.directions_at_once)
        count = min(most, end - self.products)
        if self._wanted.method == "exact":
            columns = np.zeros((count, self._dimension), np.float32)
            columns[np.arange(count), self.products + np.arange(count)] = 1
            return columns.reshape(-1, *jacobians.shape)
        signs = self._signs(count, jacobians.shape)
        if not self._captured:
            return signs
        rows = signs.reshape(count, -1).astype(np.float64)
        return (rows - (rows @ self._span) @ self._span.T).reshape(signs.shape)

    def take(self, vectors, products):
        """Products with the vectors that it wanted."""
        before = self.products
        self.products += len(vectors)
        vectors, products = (_rows(images) for images in (vectors, products))
        if before < self._captured:
            self._span = np.linalg.qr(products.T)[0]
            return
        found = np.stack([np.sum(vectors * products, axis=1), np.sum(products**2, axis=1)])
        if self._wanted.method == "exact" or before < 2 * self._captured:
            self._exact_part += found.sum(axis=1)
        else:
            self._samples = np.hstack([self._samples, found])

    def _signs(self, count, shape):
        probes = range(self._drawn, self._drawn + count)
        self._drawn += count
        return probe_signs(self._wanted.seed, self._index, probes, shape)

    @property
    def _mean(self):
        return self._samples.mean(axis=1) if self.probes else np.zeros(2)

    @property
    def _errors(self):
        return standard_error(self._samples) if self.probes else np.zeros(2)


def _rows(images):
    return images.reshape(len(images), -1).astype(np.float64)
