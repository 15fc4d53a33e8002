"""Coarse-to-fine stochastic ascent of the prior in a denoiser (paper, appendix A.2)."""

from __future__ import annotations

import dataclasses
import math

from keras import ops

from keras_gahr.errors import InputError
from keras_gahr.options.option import describes_options
from keras_gahr.options.sampling import AscentOptions

from .noise_levels import SeenLevels, check_schedule, residual_level

_MOST_STEPS = 10**6


@describes_options
@dataclasses.dataclass(frozen=True, kw_only=True)
class AscentSchedule(SeenLevels, AscentOptions):
    """Noise levels and steps of the ascent: all that `AscentOptions` declares.

    Args:

    Raises:
        InputError: for values outside their ranges.

    Examples:
        >>> from keras_gahr.sampling import AscentSchedule
        >>> AscentSchedule(beta=0.1, sigma_end=0.05).max_steps
        485
    """

    def __post_init__(self):
        check_schedule(self)
        if self.max_steps is None:
            object.__setattr__(self, "max_steps", 5 * self.predicted_steps())

    def step_size(self, t: int) -> float:
        """h at step t = 1, 2, ..."""
        return self.h0 if self.fixed_h else self.h0 * t / (1 + self.h0 * (t - 1))

    def noise_gain(self, t: int) -> float:
        """gamma / sigma at step t: what keeps the noise level falling by 1 - beta h."""
        h = self.step_size(t)
        return math.sqrt((1 - self.beta * h) ** 2 - (1 - h) ** 2)

    def predicted_steps(self) -> int:
        """Steps until sigma_end if the noise level falls by 1 - beta h_t at every step."""
        level, t = self.sigma_0, 0
        while level > self.sigma_end:
            if t == _MOST_STEPS:
                raise InputError(
                    f"with h0 = {self.h0} and beta = {self.beta} the sampler would take more than "
                    f"{_MOST_STEPS} steps: choose larger ones"
                )
            t += 1
            level *= 1 - self.beta * self.step_size(t)
        return t

    def numbers(self, t: int) -> tuple[float, float]:
        """h and gamma / sigma of step t."""
        return self.step_size(t), self.noise_gain(t)


def ascent_step(direction, y, level, z, at):
    """One step: y - h g + gamma z with gamma = sigma sqrt((1 - beta h)^2 - (1 - h)^2).

    Args:
        direction: a function of y and its noise levels (batch,), of which only a network that is told them
            takes notice; it gives g and r(y).
        y: images.
        level: their noise levels, as far as they are known before the step.
        z: standard normal noise.
        at: a function of g that gives h and gamma / sigma.

    Returns:
        The next images, the noise levels |g| / sqrt(d) of y, those to expect of the next images, and
        r(y).
    """
    g, residual = direction(y, level)
    h, gain = at(g)
    sigma = residual_level(g)
    # What is left of the old noise and what is added; with the estimate in the old noise's place a network
    # that is told its own estimate would follow every error of it.
    expected = ops.sqrt(ops.square((1 - h) * level) + ops.square(gain * sigma))
    return y - h * g + gain * sigma[:, None, None, None] * z, sigma, expected, residual
