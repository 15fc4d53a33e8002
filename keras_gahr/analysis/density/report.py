"""The log density of images under a denoiser."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NOISY, some_places, take
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, check_seed, check_whole, keyed_normal
from keras_gahr.progress import Progress, shows_progress

from ..intervals import mean_interval
from ..saved_numbers import SavedNumbers, files_called
from .flow import PASSES, flow
from .levels import HIGHEST_SEEN, LeveledDenoiser
from .mmse import DenoisingErrors, Rule, measure

if TYPE_CHECKING:
    from keras_gahr.result import Figure

DENSITY_METHODS = ("mmse", "flow")
"""Ways to find a density; see `log_density`."""

EVALUATIONS = 400
"""Of the denoiser for each image, by default."""

MOST_EVALUATIONS = 20_000
"""For each image, where it stops by default if an error is asked for."""

BYTES_NOISE = 1 / (255 * np.sqrt(12))
"""The standard deviation of what rounding to bytes leaves out, in units of [0, 1]."""

_ROUNDING = 1e-4
"""Of float32, in units of 1/255."""

DEQUANTIZING = 2**32 - 1
"""The draw of the noise of dequantization."""

_LOOKED_AT = 8
"""Images at which it is asked how low a network's noise levels go."""

_BLOCK = 64
"""Images that are followed together."""

_MORE = 100
"""Evaluations between two looks at the error."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LogDensity(SavedNumbers):
    """log p(x) of N images of d values, of densities for values in [0, 1].

    Attributes:
        log_density: float64 (N,), in nats.
        standard_error: float64 (N,), in nats, over the noise that was drawn.
        reach: float64 (N,), half of the 95% intervals in nats.
        evaluations: int64 (N,), passes of the denoiser.
        dimension: d.
        method: one of `DENSITY_METHODS`.
        dequantization: level of the noise that was added to the images; 0 for none.
        sigmas: the lowest and the highest noise level that the denoiser was asked about.
        seed: of the noise.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import LogDensity
        >>> d = 100
        >>> options = (d, "mmse", 0.0, (0.001, 1.0), 0)
        >>> found = LogDensity(np.array([69.3]), np.array([0.7]), np.array([1.4]), np.array([400]), *options)
        >>> found.bits_per_dimension.round(2), found.bits_error.round(2)
        (array([-1.]), array([0.01]))
    """

    FILES: ClassVar[tuple[str, ...]] = files_called("density")
    SHOWN: ClassVar[tuple[str, ...]] = ("bits_per_dimension",)

    log_density: np.ndarray
    standard_error: np.ndarray
    reach: np.ndarray
    evaluations: np.ndarray
    dimension: int
    method: str
    dequantization: float
    sigmas: tuple[float, float]
    seed: int

    @property
    def bits_per_dimension(self) -> np.ndarray:
        """-log2 p / d, (N,); 8 more for values in 0 to 256."""
        return -self.log_density / (self.dimension * np.log(2))

    @property
    def bits_error(self) -> np.ndarray:
        """The standard error of `bits_per_dimension`, (N,)."""
        return self.standard_error / (self.dimension * np.log(2))

    @property
    def interval(self) -> np.ndarray:
        """95% intervals of `log_density` in nats, (N, 2)."""
        return self.log_density[:, None] + self.reach[:, None] * np.array([-1, 1])

    @property
    def order(self) -> np.ndarray:
        """Indices of the images, the most probable first."""
        return np.argsort(-self.log_density, kind="stable")

    def numbers(self) -> dict[str, Any]:
        """Means and all values, as JSON has them."""
        bits = self.bits_per_dimension
        low, high = mean_interval(bits)
        return {
            "method": self.method,
            "images": len(bits),
            "dimension": self.dimension,
            "dequantization": self.dequantization,
            "sigmas": list(self.sigmas),
            "seed": self.seed,
            "evaluations": self.evaluations.tolist(),
            "mean_bits_per_dimension": float(bits.mean()),
            "mean_bits_per_dimension_95": None if np.isnan(low) else [low, high],
            "bits_per_dimension": bits.tolist(),
            "bits_error": self.bits_error.tolist(),
            "log_density": self.log_density.tolist(),
            "standard_error": self.standard_error.tolist(),
        }

    def plot(self, *, title: str = "") -> Figure:
        """A figure: bits per dimension of all images in order, with their intervals."""
        return self._figure(title=title)


@shows_progress("measuring densities")
def log_density(
    denoiser: DenoiserLike,
    images: ArrayLike,
    *,
    seed: int = 0,
    method: str = "mmse",
    evaluations: int = EVALUATIONS,
    error: float | None = None,
    most: int = MOST_EVALUATIONS,
    dequantize: float | None = None,
    sigmas: Sequence[float] | None = None,
    probes: int = 4,
    first: int = 0,
    batch_size: int = 32,
    progress: Progress = None,
) -> LogDensity:
    """log p(x) of each image under the law that a denoiser is the best one for.

    "mmse" integrates the error of denoising over all noise levels (I-MMSE; Kong et al., arXiv 2302.03792),
    with independent noise at each, of which |z|^2 is taken out as a control. "flow" follows the probability
    flow with Hutchinson's traces (Song et al., arXiv 2011.13456). Both are exact for the best denoiser of a
    law. A trained one is none, and for it neither is a bound at one image; the mean of "mmse" over images is
    an upper bound of their entropy.

    Beyond the noise levels that the denoiser knows images count as normal above, of its own mean and variance
    at the highest level, and below as of the dimension that it keeps at the lowest.

    Args:
        denoiser: see `as_denoiser`. Closed forms are told the noise level, whether or not they estimate it.
        images: x, (N, H, W), (N, H, W, C) or one image (H, W), (H, W, C), uint8 or floats in [0, 1].
        seed: of all noise; image k has that of index `first` + k.
        method: one of `DENSITY_METHODS`.
        evaluations: passes of the denoiser for each image; a product with its Jacobian counts as one.
        error: a standard error in bits per dimension: "mmse" goes on for each image until its own is not
            above.
        most: evaluations of an image where it stops in any case.
        dequantize: level of the normal noise that is added to images, whose law is smoothed by as much; in
            units of [0, 1]. Default: 1 / (255 sqrt(12)) if all are multiples of 1/255, else 0. Without it the
            density of bytes, or of images with fewer directions than pixels, is infinite.
        sigmas: the lowest and the highest noise level. Default: what the denoiser knows within 10^-3.5 to
            10^1.5; of networks up to 1, and down to where they still take noise away from a few of the
            images. Give those of one call to others, to compare sets of images.
        probes: of each trace of "flow".
        first: index of the first image.
        batch_size: images computed at once.
        progress: called as progress(evaluations done, evaluations that are known to be needed).

    Returns:
        The `LogDensity`.

    Warns:
        UserWarning: if the error was not reached.

    Raises:
        InputError: for images that do not fit, an unknown method, or numbers out of range.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).normal(0.5, 0.1, (4, 8, 8))
        >>> vectors, variances = np.eye(64), np.full(64, 0.01)
        >>> denoiser = kg.baselines.Wiener(np.full((8, 8, 1), 0.5), vectors, variances)
        >>> found = kg.log_density(denoiser, images, evaluations=100)
        >>> squares = np.sum((images - 0.5) ** 2, axis=(1, 2))
        >>> expected = -squares / 0.02 - 32 * np.log(2 * np.pi * 0.01)
        >>> bool(np.all(abs(found.log_density - expected) < 3 * found.reach))
        True
    """
    assert callable(progress)  # As the decorator makes it.
    if method not in DENSITY_METHODS:
        raise InputError(f"received method {method!r}, expected {' or '.join(DENSITY_METHODS)}")
    denoiser = as_denoiser(denoiser)
    stack = as_stack(images, denoiser.input_channels, NOISY)
    denoiser.check_shape(stack.shape)
    seed, first = check_seed(seed), check_whole(first, "first", 0)
    check_whole(evaluations, "evaluations", 12)
    check_whole(most, "most", 12)
    check_whole(probes, "probes", 2)
    check_whole(batch_size, "batch_size", 1)
    if error is not None and check_number(error, "error") <= 0:
        raise InputError(f"received error {error}, expected a standard error above 0")
    if error is not None and method != "mmse":
        raise InputError(
            f"received an error, which is for mmse, and method {method!r}: leave it out"
        )
    own = _own_noise(stack, dequantize)
    leveled = LeveledDenoiser(denoiser, own, batch_size)
    low, high = leveled.range(sigmas)
    if sigmas is None:
        some = some_places(len(stack), _LOOKED_AT, seed)
        low = leveled.useful(low, high, _with_noise(stack, some, own, seed, first), seed)
    done = [0]

    def tick(passes):
        done[0] += passes
        progress(done[0], max(done[0], evaluations * len(stack)))

    found = []
    for start in range(0, len(stack), _BLOCK):
        some = range(start, min(start + _BLOCK, len(stack)))
        clean = _with_noise(stack, some, own, seed, first)
        indices = [first + k for k in some]
        if method == "mmse":
            wanted = _Wanted(evaluations, error, most)
            found.append(_by_errors(leveled, low, high, clean, indices, seed, wanted, tick))
        else:
            steps = max(2, evaluations // (probes + PASSES) - 1)
            # The law of the images as they are is that of their own noise.
            bare = LeveledDenoiser(denoiser, 0.0, batch_size)
            flowed = flow(
                bare,
                own or low,
                min(high, HIGHEST_SEEN),
                clean,
                steps,
                probes,
                seed,
                indices[0],
                functools.partial(_times, tick, len(clean)),
            )
            passes = np.full(len(clean), flowed.evaluations)
            found.append((flowed.log_density, flowed.standard_error, flowed.reach, passes))
    values, errors, reach, passes = (np.concatenate(part) for part in zip(*found, strict=True))
    if error is not None:
        missed = np.count_nonzero(errors > error * stack[0].size * np.log(2))
        if missed:
            warnings.warn(
                f"the standard error of {missed} of {len(stack)} densities is above {error:g} bits per "
                f"dimension after {most} evaluations: allow more of them (most)",
                stacklevel=3,
            )
    return LogDensity(
        values,
        errors,
        reach,
        passes.astype(np.int64),
        stack[0].size,
        method,
        own,
        (low, high),
        seed,
    )


@dataclasses.dataclass(frozen=True)
class _Wanted:
    """Evaluations of each image, and the standard error in bits per dimension until which it goes on."""

    evaluations: int
    error: float | None
    most: int


def _by_errors(leveled, low, high, clean, indices, seed, wanted, tick):
    """Log densities in nats, their errors, half of their intervals, and evaluations, each (N,)."""
    rule = Rule.within(low, high, wanted.evaluations)
    dimension = clean[0].size
    errors = [DenoisingErrors(rule, dimension) for _ in clean]
    bound = np.inf if wanted.error is None else wanted.error * dimension * np.log(2)

    def give(going, evaluations):
        some = [errors[k] for k in going]
        places = [indices[k] for k in going]
        measure(leveled, clean[going], places, some, evaluations, seed, tick)

    everyone = list(range(len(clean)))
    give(everyone, wanted.evaluations)
    give(everyone, max(0, wanted.evaluations - errors[0].evaluations))
    going = everyone
    while going := [
        k
        for k in going
        if errors[k].standard_error > bound and errors[k].evaluations + _MORE <= wanted.most
    ]:
        give(going, _MORE)
    return (
        np.array([each.log_density for each in errors]),
        np.array([each.standard_error for each in errors]),
        np.array([each.reach for each in errors]),
        np.array([each.evaluations for each in errors]),
    )


def _times(tick, images, passes):
    tick(images * passes)


def _with_noise(stack, places, own, seed, first):
    """Some images, float32, with the noise of dequantization."""
    clean = take(stack, places, NOISY)
    if not own:
        return clean
    noise = keyed_normal(seed, [first + int(k) for k in places], DEQUANTIZING, clean.shape[1:])
    return clean + np.float32(own) * noise


def _own_noise(stack, dequantize):
    """The level of the noise of dequantization."""
    if dequantize is not None:
        if check_number(dequantize, "dequantize") < 0:
            raise InputError(f"received dequantize {dequantize}, expected a noise level or 0")
        return float(dequantize)
    if stack.dtype == np.uint8:
        return BYTES_NOISE
    values = 255 * np.asarray(stack, np.float64)
    return BYTES_NOISE if np.abs(values - np.round(values)).max() <= _ROUNDING else 0.0
