"""What is asked of the clock of a training of ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any, Self

from keras_gahr.denoisers import Denoiser
from keras_gahr.errors import InputError
from keras_gahr.json_file import read_json
from keras_gahr.noise import NoiseLaw
from keras_gahr.options.option import check_options, declared, describes_options
from keras_gahr.options.training import ClockOptions

from ..data.batches import TiledBatches
from ..running_values import passes_to_measure
from ..settings import TrainingSettings
from .plan import ClockPlan, plan_clock
from .table import read_clock
from .trained_levels import TrainedLevels, sampled_range


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

    def plan(
        self, denoiser: Denoiser, batches: TiledBatches, settings: TrainingSettings
    ) -> ClockPlan:
        """How a training is looked at.

        Args:
            denoiser: the `Denoiser` that is trained.
            batches: `TiledBatches` of the training images.
            settings: `TrainingSettings`.

        Raises:
            InputError: if there is no time for it, no samples can be drawn, or no noise level of the clock is
                trained on.
        """
        if denoiser.input_channels != denoiser.output_channels:
            raise InputError(
                "received a clock with a conditional denoiser, which has no samples of its own: leave it out"
            )
        if self.clock_features is not None and len(batches.images) == 1:
            raise InputError(
                "received clock-features with one training image, expected two or more: leave them out"
            )
        averaged = 0 if settings.ema is None else passes_to_measure(denoiser, batches)
        return plan_clock(
            settings.epochs * batches.steps_per_epoch,
            min(batches.batch_size, batches.images_per_epoch),
            self.clock_budget,
            TrainedLevels.of(settings.noise_law).passes_per_sample,
            self.clock_samples,
            self.clock_looks,
            averaged * batches.images_per_epoch / batches.steps_per_epoch,
        )

    def check_twin(
        self, data: Mapping[str, Any], law: NoiseLaw, steps: Set[int] | None = None
    ) -> None:
        """Raises `InputError` unless the twin, if there is one, has a clock like this and other images.

        Args:
            data: what config.json says of the images of the training.
            law: of its noise levels.
            steps: at which it will be looked at, of which the twin must have one, unless it has no looks
                yet; None if that is not known.
        """
        if self.twin is None:
            return
        run = Path(self.twin)
        config = read_json(run / "config.json", "the config.json of a run")
        try:
            theirs = config["data"]
            same_images = data.get("sha256") is not None and data["sha256"] == theirs.get("sha256")
            shared = same_images and (
                theirs["half"] == data["half"]
                or theirs["train_size"] + data["train_size"] > data["available"]
            )
            clock = ClockSettings.among(config["options"])
            their_range = sampled_range(NoiseLaw(**config["training"]["noise_law"]))
        except (AttributeError, KeyError, TypeError) as error:
            raise InputError(
                f"{run} holds no run, expected a folder that `gahr train` made"
            ) from error
        if clock is None:
            raise InputError(f"{run} has no clock to compare with: train it with --clock, too")
        if shared:
            raise InputError(
                f"{run} is trained on images of this training, too, expected a twin on others: train one on "
                "--half A, the other on --half B, and each on --train-size of no more than half of the "
                f"{data['available']} images"
            )
        own_range = sampled_range(law)
        if their_range != own_range:
            theirs, own = (
                f"{255 * first:.4g}/255 to {255 * last:.4g}/255"
                for first, last in (their_range, own_range)
            )
            raise InputError(
                f"{run} draws its samples from noise of {theirs}, expected {own} as this training does: give "
                "both the same --sigma-min and --sigma-max"
            )
        looks = run / "clock.csv"
        theirs = [look.step for look in read_clock(looks)] if looks.is_file() else []
        if steps is not None and theirs and steps.isdisjoint(theirs):
            raise InputError(
                f"{run} was looked at at steps {', '.join(map(str, theirs[:3]))}, ..., none of which this "
                "training will be looked at: give both the same --clock-looks and as many steps"
            )
