"""Noise levels that are set in advance, for samplers that follow them; every sigma in units of [0, 1]."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

from keras import ops

from keras_gahr.denoisers import Denoiser
from keras_gahr.errors import InputError
from keras_gahr.noise import level_of
from keras_gahr.options.option import check_options, declared, describes_options
from keras_gahr.options.sampling import LevelOptions

DIVERGED = 2.0
"""An image whose estimated noise level rises above this is given up."""

LEAST_SEEN = 0.1
"""A denoiser that sees less than this share of the noise in an initial image does not denoise: trained
ones see two thirds and more, untrained ones next to nothing."""

SPACINGS = declared(LevelOptions)["spacing"].option.choices
"""How noise levels may lie between the first and the last; see `NoiseLevels`."""


def residual_level(x):
    """|x| / sqrt(d) for each image of a batch: of a residual, the blind estimate of sigma."""
    return ops.sqrt(ops.mean(ops.square(x), axis=(1, 2, 3)))


def for_each(sigma, levels):
    """A noise level, one number or one for each image, in the shape (batch,) of some levels."""
    return ops.reshape(sigma, (-1,)) + ops.zeros_like(levels)


def check_schedule(schedule):
    """Makes numbers of its levels; raises `InputError` for options that no sampler can use."""
    for end in ("sigma_0", "sigma_end"):
        object.__setattr__(schedule, end, level_of(getattr(schedule, end), end))
    check_options(schedule)
    first, last = schedule.sigma_0, schedule.sigma_end
    if not 0 < last < first <= DIVERGED:
        raise InputError(
            f"received noise levels from {first} to {last}, expected "
            f"{DIVERGED:g} >= sigma_0 > sigma_end > 0"
        )


class SeenLevels:
    """What schedules have in common whose steps start from the level that a blind denoiser sees."""

    sigma_end: float

    def at(self, numbers: Any, g: Any) -> Any:
        """The same whatever the direction g is."""
        return numbers

    def active(self, sigma: Any) -> Any:
        """Which images go on, by their estimated noise levels."""
        return (sigma > self.sigma_end) & (sigma <= DIVERGED)

    def status(self, sigma: float, final_sigma: float) -> str:
        """How an image ended, by its estimated level in the last step."""
        if sigma <= self.sigma_end:
            return "converged"
        return "max_steps" if sigma <= DIVERGED else "diverged"


@describes_options
@dataclasses.dataclass(frozen=True, kw_only=True)
class NoiseLevels(LevelOptions):
    """A schedule sigma_0 > ... > sigma_end of `steps` steps, for the Euler, Heun and ancestral samplers.

    "karras" spaces sigma^(1/rho) evenly (Karras et al. 2022, arXiv 2206.00364, eq. 5), "geometric" log
    sigma. With `estimated` each step starts from the level |r(y)| / sqrt(d) that the blind denoiser sees;
    it ends for an image whose level is below `sigma_end`.

    Args:

    Raises:
        InputError: for values outside their ranges.

    Examples:
        >>> from keras_gahr.sampling import NoiseLevels
        >>> NoiseLevels(steps=2, spacing="geometric").level(2)
        0.1
    """

    def __post_init__(self):
        check_schedule(self)

    @property
    def max_steps(self) -> int:
        return self.steps

    def known_by(self, denoiser: Denoiser) -> Self:
        """The schedule as far as a denoiser knows its noise levels."""
        low, high = denoiser.limits
        first, last = min(self.sigma_0, high), max(self.sigma_end, low)
        return dataclasses.replace(self, sigma_0=first, sigma_end=last)

    def level(self, t: int) -> float:
        """sigma before step t = 1, ..., steps; `level(steps + 1)` is `sigma_end`."""
        way = (t - 1) / self.steps
        if self.spacing == "geometric":
            return self.sigma_0 * (self.sigma_end / self.sigma_0) ** way
        first, last = self.sigma_0 ** (1 / self.rho), self.sigma_end ** (1 / self.rho)
        return (first + way * (last - first)) ** self.rho

    def numbers(self, t: int) -> tuple[float, float]:
        """sigma before and after step t."""
        return self.level(t), self.level(t + 1)

    def at(self, numbers: Any, g: Any) -> Any:
        """sigma before and after a step whose direction is g, either one number or one an image."""
        if not self.estimated:
            return numbers
        sigma = residual_level(g)[:, None, None, None]
        return sigma, ops.minimum(numbers[1], sigma)

    def active(self, sigma: Any) -> Any:
        """Which images go on, by their estimated noise levels."""
        alive = sigma <= DIVERGED
        return alive & (sigma > self.sigma_end) if self.estimated else alive

    def status(self, sigma: float, final_sigma: float) -> str:
        """How an image ended, by its estimated levels in the last step and after it."""
        if not max(sigma, final_sigma) <= DIVERGED:
            return "diverged"
        # A step ends near its level, not on it.
        return "converged" if final_sigma <= 2 * self.sigma_end else "max_steps"
