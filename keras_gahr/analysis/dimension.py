"""In how many directions images like one can change, as a denoiser sees it.

At noise of level sigma the best denoiser keeps the directions in which images vary by more than sigma, and
no others. So tr J(y) at y = x + sigma z tends to the dimension of the images around x as sigma falls, and so
does E |x - D(y)|^2 / sigma^2. Of a denoiser that is told the level, so does FLIPD (Kamkari et al., arXiv
2406.03537), tr J + |D(x) - x|^2 / sigma^2 at y = x itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NOISY, take
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.figure_files import figure_files
from keras_gahr.noise import check_levels, check_seed, check_whole, keyed_normal
from keras_gahr.progress import Progress, shows_progress

from .copying import CopiesByDimension
from .density.levels import LeveledDenoiser, squared_lengths
from .harm import warn_of_harm
from .intervals import mean_interval, standard_error
from .saved_numbers import SavedNumbers, files_called
from .spectrum import SpectralDensity, spectral_density
from .traces import trace

if TYPE_CHECKING:
    from keras_gahr.result import Figure

LEVELS = tuple(10 ** (place / 4) for place in range(-10, -1))
"""Noise levels that are asked about: .0032 to .32, four in a factor of ten."""

_FACTOR = 1.5
"""By which tr J and the error may differ where they are said to agree."""

_STANDARD_ERRORS = 3.0
"""By how many they may differ by chance: they are themselves estimated from few draws."""

_FIRST_DRAW = 2**34
"""The draw of the first noise: images, probes and densities have those below."""

_MOST_LEVELS = 2**16
"""Draws from one noise to the next."""

_BLOCK = 64
"""Images that are asked about together."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LocalDimension(SavedNumbers):
    """The local dimension of N images of d values, at S noise levels.

    Attributes:
        sigmas: float64 (S,), ascending, in units of [0, 1].
        trace, trace_error: float64 (S, N), tr J at noisy images, and its standard error over noise and
            probes.
        error, error_error: float64 (S, N), |x - D(y)|^2 / sigma^2, and its standard error over noise.
        flipd: float64 (S, N), of a denoiser that is told the noise level; NaN of a blind one.
        size: d.
        copies: None, or the `CopiesByDimension` of these images.
        spectra: None, or the `SpectralDensity` of these images at each level, with the first of the noises.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import LocalDimension
        >>> trace = np.array([[9.0], [5.1], [5.0], [4.9], [2.0]])
        >>> others = (trace / 10, trace, trace / 10, np.full((5, 1), np.nan))
        >>> LocalDimension(np.geomspace(0.01, 1, 5), trace, *others, 64).value
        array([5.])
    """

    FILES: ClassVar[tuple[str, ...]] = (
        *files_called("dimension"),
        *figure_files("spectrum"),
        *figure_files("copies"),
    )
    SHOWN: ClassVar[tuple[str, ...]] = ("value",)

    sigmas: np.ndarray
    trace: np.ndarray
    trace_error: np.ndarray
    error: np.ndarray
    error_error: np.ndarray
    flipd: np.ndarray
    size: int
    spectra: tuple[SpectralDensity, ...] | None = None
    copies: CopiesByDimension | None = None

    @property
    def agreement(self) -> np.ndarray:
        """Where tr J and the error over sigma^2 agree, bool (S, N), as they do of the best denoiser.

        Within a factor of 1.5, or three standard errors of their difference. Elsewhere the denoiser is not
        the best one for such images, and in how many directions it sees them is no matter of theirs.
        """
        gap = np.abs(self.error - self.trace)
        low, high = np.minimum(self.trace, self.error), np.maximum(self.trace, self.error)
        by_chance = gap <= _STANDARD_ERRORS * np.hypot(self.trace_error, self.error_error)
        return by_chance | ((low > 0) & (high <= _FACTOR * low))

    @property
    def level(self) -> np.ndarray:
        """For each image the place of the level where log tr J changes least with log sigma, (N,).

        Between noise that is less than what sets images apart and noise that hides them, the dimension stays
        the same for a while. It is looked for where there is `agreement` at the level and at the next ones
        below and above, or, if that is nowhere, at all levels but these ends. Of fewer than three levels it
        is the lowest one.
        """
        if len(self.sigmas) < 3:
            return np.zeros(self.trace.shape[1], np.intp)
        logs = np.log(np.maximum(self.trace, 1e-3))
        slopes = np.abs(np.gradient(logs, np.log(self.sigmas), axis=0))[1:-1]
        steady = self._steady[1:-1]
        slopes[~steady & steady.any(axis=0)] = np.inf
        return 1 + slopes.argmin(axis=0)

    @property
    def agreed(self) -> np.ndarray:
        """Whether there is `agreement` at that level and beside it, bool (N,)."""
        return self._there(self._steady)

    @property
    def _steady(self):
        """Where the levels beside agree, too: the two may be equal at one level because they cross."""
        padded = np.pad(self.agreement, ((1, 1), (0, 0)), constant_values=True)
        return padded[:-2] & padded[1:-1] & padded[2:]

    @property
    def value(self) -> np.ndarray:
        """tr J at that level, (N,)."""
        return self._there(self.trace)

    @property
    def value_error(self) -> np.ndarray:
        """Its standard error, (N,)."""
        return self._there(self.trace_error)

    def _there(self, values):
        return np.take_along_axis(values, self.level[None], axis=0)[0]

    def numbers(self) -> dict[str, Any]:
        """What was found of each image, and means over images, as JSON has them."""
        low, high = mean_interval(self.value)
        return {
            "images": self.trace.shape[1],
            "size": self.size,
            "mean": float(self.value.mean()),
            "mean_95": None if np.isnan(low) else [low, high],
            "dimension": self.value.tolist(),
            "standard_error": self.value_error.tolist(),
            "sigma": self.sigmas[self.level].tolist(),
            "agreed": self.agreed.tolist(),
            "levels": [
                {
                    "sigma": float(sigma),
                    "trace": float(self.trace[s].mean()),
                    "error": float(self.error[s].mean()),
                    "flipd": None if np.isnan(self.flipd[s]).any() else float(self.flipd[s].mean()),
                    **({} if self.spectra is None else {"spectrum": self.spectra[s].numbers()}),
                }
                for s, sigma in enumerate(self.sigmas)
            ],
            **({} if self.copies is None else {"copies": self.copies.numbers()}),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Its arrays by name, for a `.npz` file; of spectra nodes, weights and couplings of each level."""
        spectra = [each.arrays() for each in self.spectra or ()]
        of_copies = {} if self.copies is None else self.copies.arrays()
        of_spectra = {
            f"spectrum_{name}": np.stack([each[name] for each in spectra])
            for name in (spectra[0] if spectra else ())
        }
        return of_copies | super().arrays() | of_spectra

    def plot(self, *, title: str = "") -> Figure:
        """A figure: tr J of each image over noise levels, and the means of all estimates."""
        return self._figure(title=title)


@shows_progress("measuring dimensions")
def local_dimension(
    denoiser: DenoiserLike,
    images: ArrayLike,
    sigmas: Sequence[float] | None = None,
    *,
    draws: int = 4,
    probes: int = 8,
    steps: int | None = None,
    seed: int = 0,
    first: int = 0,
    batch_size: int = 32,
    progress: Progress = None,
) -> LocalDimension:
    """The dimension of the images around each image, as a denoiser sees it; see `LocalDimension`.

    Args:
        denoiser: see `as_denoiser`. Closed forms are told the noise level, whether or not they estimate it.
        images: x, (N, H, W), (N, H, W, C) or one image (H, W), (H, W, C), uint8 or floats in [0, 1].
        sigmas: noise levels in units of [0, 1]; default: nine from .0032 to .32, as far as the denoiser knows
            them.
        draws: of the noise, at least 2.
        probes: of each trace, at least 2.
        steps: of Lanczos' algorithm, at least 2, with which all eigenvalues are looked at, too; see
            `spectral_density`. Default: they are not.
        seed: of all noise; image k has that of index `first` + k.
        first: index of the first image.
        batch_size: images computed at once.
        progress: called as progress(levels done, levels in all).

    Returns:
        The `LocalDimension`.

    Warns:
        UserWarning: if there are noise levels at which images had better be left as they are.

    Raises:
        InputError: for images that do not fit, noise levels that the denoiser does not know, or numbers out
            of range.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> vectors = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 3)))[0]
        >>> plane = kg.baselines.Wiener(np.full((8, 8, 1), 0.5), vectors, np.full(3, 9.0))
        >>> found = kg.analysis.local_dimension(plane, np.full((2, 8, 8), 0.5), [0.01, 0.03, 0.1])
        >>> bool(np.all(abs(found.value - 3) < 4 * found.value_error + 0.01))
        True
    """
    assert callable(progress)  # As the decorator makes it.
    denoiser = as_denoiser(denoiser)
    stack = as_stack(images, denoiser.input_channels, NOISY)
    denoiser.check_shape(stack.shape)
    seed = check_seed(seed)
    draws = check_whole(draws, "draws", 2)
    probes = check_whole(probes, "probes", 2)
    first = check_whole(first, "first", 0)
    leveled = LeveledDenoiser(denoiser, batch_size=check_whole(batch_size, "batch_size", 1))
    levels = sorted(leveled.denoiser.known(LEVELS) if sigmas is None else check_levels(sigmas))
    if not levels:
        raise InputError("received a denoiser that knows none of the noise levels: give sigmas")
    for sigma in levels:
        leveled.denoiser.check_sigma(sigma)
    told = leveled.formula or leveled.denoiser.told
    found = np.full((5, len(levels), len(stack)), np.nan)
    spectra = [[] for _ in levels]
    blocks = [
        range(start, min(start + _BLOCK, len(stack))) for start in range(0, len(stack), _BLOCK)
    ]
    for b, block in enumerate(blocks):
        clean, places = take(stack, block, NOISY), slice(block.start, block.stop)
        indices = [first + k for k in block]
        for s, sigma in enumerate(levels):
            options = {"sigma": sigma, "probes": probes, "progress": False}
            traces, errors = np.empty((2, draws, len(clean)))
            for draw in range(draws):
                z = keyed_normal(
                    seed, indices, _FIRST_DRAW + draw * _MOST_LEVELS + s, clean.shape[1:]
                )
                y = clean + np.float32(sigma) * z
                # Other probes for each noise.
                own = {**options, "seed": (seed + draw) % 2**64, "first": indices[0]}
                traces[draw] = trace(leveled.linearizer(sigma), y, **own).value
                if steps is not None and draw == 0:
                    spectra[s].append(
                        spectral_density(leveled.linearizer(sigma), y, steps=steps, **own)
                    )
                left = leveled.residual(y, sigma) / np.float32(sigma) - z
                errors[draw] = squared_lengths(left)
            found[:4, s, places] = (
                traces.mean(axis=0),
                standard_error(traces.T),
                errors.mean(axis=0),
                standard_error(errors.T),
            )
            if told:
                options |= {"seed": (seed + draws) % 2**64, "first": indices[0]}
                at_image = trace(leveled.linearizer(sigma), clean, **options).value
                moved = leveled.residual(clean, sigma) / np.float32(sigma)
                found[4, s, places] = at_image + squared_lengths(moved)
            progress(b * len(levels) + s + 1, len(blocks) * len(levels))
    traces, traces_error, errors, errors_error, flipd = found
    shares = errors.T / stack[0].size
    warn_of_harm(levels, shares, "|x - D(y)|^2 / (d sigma^2)", stacklevel=3)
    return LocalDimension(
        np.array(levels),
        traces,
        traces_error,
        errors,
        errors_error,
        flipd,
        stack[0].size,
        None if steps is None else tuple(map(SpectralDensity.of_all, spectra)),
    )
