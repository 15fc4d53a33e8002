"""Noise levels that are set in advance, for samplers that follow them; every sigma in units of [0, 1]."""

import dataclasses

from keras import ops

from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, check_whole

DIVERGED = 2.0
"""An image whose estimated noise level rises above this is given up."""

LEAST_SEEN = 0.1
"""A denoiser that sees less than this share of the noise in an initial image does not denoise: trained
ones see two thirds and more, untrained ones next to nothing."""

SPACINGS = ("karras", "geometric")
"""How noise levels may lie between the first and the last; see `NoiseLevels`."""


def noise_level(x):
    """|x| / sqrt(d) for each image of a batch: of a residual, the blind estimate of sigma."""
    return ops.sqrt(ops.mean(ops.square(x), axis=(1, 2, 3)))


def check_range(sigma_0, sigma_end, init_mean):
    """Raises `InputError` for noise levels or an initial grey value that no sampler can use."""
    check_number(sigma_0, "sigma_0")
    check_number(sigma_end, "sigma_end")
    check_number(init_mean, "init_mean")
    if not 0 < sigma_end < sigma_0 <= DIVERGED:
        raise InputError(
            f"received noise levels from {sigma_0} to {sigma_end}, expected "
            f"{DIVERGED:g} >= sigma_0 > sigma_end > 0"
        )


@dataclasses.dataclass(frozen=True)
class NoiseLevels:
    """A schedule sigma_0 > ... > sigma_end of `steps` steps, for the Euler, Heun and ancestral samplers.

    Args:
        sigma_0, sigma_end: noise levels of the start and the end.
        steps: how many.
        spacing: "karras" spaces sigma^(1/rho) evenly (Karras et al. 2022, arXiv 2206.00364, eq. 5),
            "geometric" log sigma.
        rho: of the former.
        estimated: start each step from the level |r(y)| / sqrt(d) that the blind denoiser sees in
            place of the scheduled one; it ends for an image whose level is below `sigma_end`.
        init_mean: grey value the initial noise is added to.

    Raises:
        InputError: for values outside their ranges.
    """

    sigma_0: float = 1.0
    sigma_end: float = 0.01
    steps: int = 50
    spacing: str = "karras"
    rho: float = 7.0
    estimated: bool = False
    init_mean: float = 0.5

    def __post_init__(self):
        check_range(self.sigma_0, self.sigma_end, self.init_mean)
        check_whole(self.steps, "steps", 1, 10**6)
        if self.spacing not in SPACINGS:
            raise InputError(
                f"received spacing {self.spacing!r}, expected one of {', '.join(SPACINGS)}"
            )
        if check_number(self.rho, "rho") < 1:
            raise InputError(f"received rho = {self.rho}, expected at least 1, such as 7")

    @property
    def max_steps(self):
        return self.steps

    def level(self, t):
        """sigma before step t = 1, ..., steps; `level(steps + 1)` is `sigma_end`."""
        way = (t - 1) / self.steps
        if self.spacing == "geometric":
            return self.sigma_0 * (self.sigma_end / self.sigma_0) ** way
        first, last = self.sigma_0 ** (1 / self.rho), self.sigma_end ** (1 / self.rho)
        return (first + way * (last - first)) ** self.rho

    def numbers(self, t):
        """sigma before and after step t."""
        return self.level(t), self.level(t + 1)

    def at(self, numbers, g):
        """sigma before and after a step whose direction is g, either one number or one an image."""
        if not self.estimated:
            return numbers
        sigma = noise_level(g)[:, None, None, None]
        return sigma, ops.minimum(numbers[1], sigma)

    def active(self, sigma):
        """Which images go on, by their estimated noise levels."""
        alive = sigma <= DIVERGED
        return alive & (sigma > self.sigma_end) if self.estimated else alive

    def status(self, sigma, final_sigma):
        """How an image ended, by its estimated levels in the last step and after it."""
        if not max(sigma, final_sigma) <= DIVERGED:
            return "diverged"
        # A step ends near its level, not on it.
        return "converged" if final_sigma <= 2 * self.sigma_end else "max_steps"
