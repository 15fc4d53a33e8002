"""Of the noise levels of a clock those that a denoiser is trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Self

from keras_gahr.errors import InputError
from keras_gahr.noise import NoiseLaw, check_levels
from keras_gahr.sampling import NoiseLevels

from .look import Look
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

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """Puts back what `state` returned; raises `ValueError` or `TypeError` for anything else."""
        return cls(tuple(check_levels(state["sigmas"])), NoiseLevels(**state["schedule"]))

    @classmethod
    def of_earlier(cls, looks: Sequence[Look], law: NoiseLaw) -> Self:
        """Those of a training whose state does not say them.

        Clocks of that time looked at all their levels, whatever the law was.

        Args:
            looks: that were taken of it, which tell one that follows its law already.
            law: of its noise levels.
        """
        if looks and len(looks[-1].train_psnr) < len(CLOCK_SIGMAS):
            return cls.of(law)
        return cls(CLOCK_SIGMAS, LEVELS)

    def state(self) -> dict[str, Any]:
        """The levels as plain values."""
        return {"sigmas": list(self.sigmas), "schedule": dataclasses.asdict(self.schedule)}

    @property
    def passes_per_sample(self) -> int:
        """Of the network in a look, where the errors of as many training and test images are measured.

        Heun's sampler takes two passes a step, and a step's more at the last image.
        """
        return 2 * (self.schedule.steps + 1) + 2 * len(self.sigmas)


def sampled_range(law: NoiseLaw) -> tuple[float, float]:
    """The noise levels between which samples of a training by this law are drawn."""
    return min(LEVELS.sigma_0, law.high), max(LEVELS.sigma_end, law.low)
