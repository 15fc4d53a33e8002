"""Exponential steps of second order, with the noise of the ascent, from the level that is seen."""

from __future__ import annotations

import dataclasses
import math

from keras import ops

from keras_gahr.options.option import describes_options
from keras_gahr.options.sampling import MultistepOptions

from .noise_levels import SeenLevels, check_schedule, residual_level


@describes_options
@dataclasses.dataclass(frozen=True, kw_only=True)
class MultistepSchedule(SeenLevels, MultistepOptions):
    """Steps of `multistep_step`, each of which lowers the noise level that the denoiser sees by a factor.

    The factor q = (sigma_end / sigma_0)^(1 / steps) is the same for all, so that an image whose level
    falls faster is finished earlier, and no level is set in advance.

    Args:

    Raises:
        InputError: for values outside their ranges.

    Examples:
        >>> from keras_gahr.sampling import MultistepSchedule
        >>> schedule = MultistepSchedule(steps=2)
        >>> schedule.factor, schedule.max_steps
        (0.1, 10)
    """

    def __post_init__(self):
        check_schedule(self)
        if self.max_steps is None:
            object.__setattr__(self, "max_steps", 5 * self.steps)

    @property
    def factor(self) -> float:
        """q, by which a step lowers the noise level."""
        return (self.sigma_end / self.sigma_0) ** (1 / self.steps)

    def numbers(self, t: int) -> tuple[float, float, float]:
        """-log q, what is kept of y and gamma / sigma; the same at every step t."""
        q = self.factor
        kept = q ** (1 / self.beta)
        return -math.log(q), kept, math.sqrt(q**2 - kept**2)


def multistep_step(direction, y, level, z, at, last_denoised, last_sigma):
    """One step: k y + (1 - k) D + gamma z with k = q^(1 / beta) and gamma = sigma sqrt(q^2 - k^2).

    It is the ascent's for a long way: dy = -g ds and dlog sigma = -beta ds from sigma to q sigma, where
    the denoised image y - g, with the measurements in the place of what it has in their subspace, goes
    on in lambda = -log sigma as between the last two passes:

        D = D(y) + (D(y) - D(last y)) / (2 r),  r = log(last sigma / sigma) / log(1 / q).

    Every sigma is |g| / sqrt(d). For beta = 1 this is DPM-Solver++(2M), for beta = 1/2
    SDE-DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2 and eq. 19) of the
    variance-exploding diffusion. With few large steps a first-order one loses variance, up to half of it
    for small beta, which this does not.

    What is measured does not change from pass to pass, so that nothing is extrapolated there.

    Arguments and results as for `ascent_step`, where `at` gives -log q, k and gamma / sigma; and

    Args:
        last_denoised, last_sigma: the denoised images and the levels of the pass before; those of y
            where there was none, which leaves a step of first order.

    Returns:
        As `ascent_step`, and the denoised images and the levels of this pass.
    """
    g, residual = direction(y, level)
    fall, kept, gain = at(g)
    sigma, denoised = residual_level(g), y - g
    # Less than the planned way between two passes is an error of the levels, and would extrapolate far.
    r = ops.maximum(ops.log(last_sigma / sigma) / fall, 1)[:, None, None, None]
    ahead = denoised + (denoised - last_denoised) / (2 * r)
    moved = kept * y + (1 - kept) * ahead + gain * sigma[:, None, None, None] * z
    expected = ops.sqrt(ops.square(kept * level) + ops.square(gain * sigma))
    return moved, sigma, expected, residual, denoised, sigma
