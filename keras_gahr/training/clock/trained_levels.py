"""Of the noise levels of a clock those that a denoiser is trained on."""

from __future__ import annotations

import dataclasses
from typing import Self

from keras_gahr.errors import InputError
from keras_gahr.noise import NoiseLaw
from keras_gahr.sampling import NoiseLevels

from .memorization_clock import CLOCK_SIGMAS, LEVELS


@dataclasses.dataclass(frozen=True)
class TrainedLevels:
    """What a clock asks of a denoiser in training: what it does at other levels says nothing of it.

    Args:
        sigmas: at which errors are measured, ascending; the middle one decides.
        schedule: the `NoiseLevels` of the sampler.
    """

    sigmas: tuple[float, ...]
    schedule: NoiseLevels

    @classmethod
    def of(cls, law: NoiseLaw) -> Self:
        """Those of a training by this law.

        Raises:
            InputError: if there are none.
        """
        sigmas = tuple(sigma for sigma in CLOCK_SIGMAS if law.low <= sigma <= law.high)
        first, last = sampled_range(law)
        if not sigmas or first <= last:
            looked_at = ", ".join(f"{255 * sigma:.4g}" for sigma in CLOCK_SIGMAS)
            raise InputError(
                f"received a clock and noise levels from {255 * law.low:.4g} to {255 * law.high:.4g} of 255, "
                f"expected a range with one of {looked_at}, at which a clock looks: train on such levels, "
                "too, or leave the clock out"
            )
        return cls(sigmas, dataclasses.replace(LEVELS, sigma_0=first, sigma_end=last))

    @property
    def passes_per_sample(self) -> int:
        """Of the network in a look, where the errors of as many training and test images are measured.

        Heun's sampler takes two passes a step, and a step's more at the last image.
        """
        return 2 * (self.schedule.steps + 1) + 2 * len(self.sigmas)


def sampled_range(law: NoiseLaw) -> tuple[float, float]:
    """The noise levels between which samples of a training by this law are drawn."""
    return min(LEVELS.sigma_0, law.high), max(LEVELS.sigma_end, law.low)
