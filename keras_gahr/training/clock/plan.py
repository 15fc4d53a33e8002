"""How often a training is looked at, and how closely, for a share of its time.

Time is counted in images: one that is trained on costs as much as three passes of the network, since the
backward pass costs two forward ones. So a plan depends on no machine, and a run that goes on has the same.
"""

import dataclasses
import math

from keras_gahr.errors import InputError

from .schedule import FIRST, LogSteps

SAMPLES = 64
"""Samples of a look, if there is time for so many."""

_LEAST_SAMPLES = 16
_FEWER = 0.75
_PASSES_OF_A_STEP = 3

MOST_PER_DECADE = 12.0
_LEAST_LOOKS = 3
_WANTED_LOOKS = 12
"""Where there is time for fewer, each look takes fewer samples first."""


@dataclasses.dataclass(frozen=True)
class ClockPlan:
    """How a training is looked at.

    Args:
        samples: of each look.
        per_decade: looks in a factor of ten of the steps.
        looks: in the whole training.
        share: of the training's time that they take, in passes of the network.
    """

    samples: int
    per_decade: float
    looks: int
    share: float


def plan_clock(
    steps: int,
    batch_size: int,
    budget: float,
    passes_per_sample: int,
    samples: int | None = None,
    per_decade: float | None = None,
    passes_per_look: float = 0.0,
) -> ClockPlan:
    """The closest look that a training has time for.

    Args:
        steps: of the whole training.
        batch_size: images of a step.
        budget: the share of the training's time that all looks together may take.
        passes_per_sample: of the network, for each sample and all that is measured beside it.
        samples: of each look; None for as many as there is time for, 64 at most.
        per_decade: looks in a factor of ten of the steps; None for as many as there is time for, 12 at most.
        passes_per_look: of the network, besides those of samples, for one image each.

    Raises:
        InputError: if there is no time for three looks at 16 samples, or for what was asked for.
    """
    if per_decade is None and looks_of(MOST_PER_DECADE, steps) < _LEAST_LOOKS:
        raise InputError(
            f"received a training of {steps} steps, expected more for a clock, which looks at step {FIRST} "
            "for the first time: train for longer, or leave it out"
        )
    whole = _PASSES_OF_A_STEP * steps * batch_size
    counts = [samples] if samples is not None else _fewer_and_fewer(SAMPLES, _LEAST_SAMPLES)
    plans = []
    for count in counts:
        cost = count * passes_per_sample + passes_per_look
        spacing = per_decade or _densest(steps, math.floor(budget * whole / cost))
        if spacing is None:
            continue
        looks = looks_of(spacing, steps)
        share = looks * cost / whole
        if share <= budget:
            plans.append(ClockPlan(count, spacing, looks, share))
        if plans and plans[-1].looks >= _WANTED_LOOKS:
            return plans[-1]
    if plans:
        return max(plans, key=lambda plan: plan.looks)
    least = counts[-1] * passes_per_sample + passes_per_look
    looks = _LEAST_LOOKS if per_decade is None else looks_of(per_decade, steps)
    raise InputError(
        f"received a clock-budget of {budget:g} of this training's {steps} steps, but {looks} looks at "
        f"{counts[-1]} samples take {looks * least / whole:.2g} of its time: allow as much, ask for "
        "less, or train for longer"
    )


def looks_of(per_decade: float, steps: int) -> int:
    """How many looks a training of so many steps has, the one at its end included."""
    due = LogSteps(per_decade).up_to(steps)
    return len(due) + (steps not in due)


def _densest(steps, most):
    """The most looks in a factor of ten of which no more than so many fit into the steps, or None."""
    for tenths in range(int(10 * MOST_PER_DECADE), 0, -1):
        looks = looks_of(tenths / 10, steps)
        if looks < _LEAST_LOOKS:
            return None
        if looks <= most:
            return tenths / 10
    return None


def _fewer_and_fewer(count, least):
    counts = []
    while count > least:
        counts.append(count)
        count = int(_FEWER * count)
    return [*counts, least]
