"""What is asked of the clock of a training of ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from keras_gahr.errors import InputError
from keras_gahr.options.option import check_options, declared, describes_options
from keras_gahr.options.training import ClockOptions

from .memorization_clock import PASSES_PER_SAMPLE
from .plan import ClockPlan, plan_clock


@describes_options
@dataclasses.dataclass(frozen=True, kw_only=True)
class ClockSettings(ClockOptions):
    """Settings of the clock of a training.

    Args:

    Raises:
        InputError: for values outside their ranges.

    Examples:
        >>> from keras_gahr.training import ClockSettings
        >>> ClockSettings(clock=True, clock_budget=0.1).stop_before_memorizing
        False
    """

    def __post_init__(self) -> None:
        check_options(self)

    @classmethod
    def among(cls, options: Mapping[str, Any]) -> Self | None:
        """The settings among the options of a run; None if nothing is asked of the clock."""
        own = {name: options[name] for name in declared(cls) if name in options}
        settings = cls(**own)
        return None if settings == cls() else settings

    def plan(self, denoiser: Any, train_count: int, steps: int, batch_size: int) -> ClockPlan:
        """How a training is looked at.

        Args:
            denoiser: the `Denoiser` that is trained.
            train_count: training images.
            steps: of the whole training.
            batch_size: images of a step.

        Raises:
            InputError: if there is no time for it, or no samples can be drawn.
        """
        if denoiser.input_channels != denoiser.output_channels:
            raise InputError(
                "received a clock with a conditional denoiser, which has no samples of its own: leave it out"
            )
        if self.clock_features is not None and train_count == 1:
            raise InputError(
                "received clock-features with one training image, expected two or more: leave them out"
            )
        return plan_clock(
            steps,
            batch_size,
            self.clock_budget,
            PASSES_PER_SAMPLE,
            self.clock_samples,
            self.clock_looks,
        )
