"""Whether curves of different N become one when time is counted in units of N."""

import dataclasses
import math

import numpy as np

_POINTS = 64
"""Of the logarithmic axis on which curves are compared."""


@dataclasses.dataclass(frozen=True)
class Collapse:
    """How much f_mem varies across N.

    Attributes:
        at_equal_steps: variance of f_mem across N at the same tau, mean over the common range of
            log tau.
        at_equal_steps_per_image: the same at the same tau/N.
    """

    at_equal_steps: float
    at_equal_steps_per_image: float

    @property
    def score(self):
        """The second over the first: 0 for curves that collapse wholly, infinite if they are equal at equal
        steps; NaN if f_mem does not vary, or curves have no common range."""
        if self.at_equal_steps == 0:
            return math.inf if self.at_equal_steps_per_image > 0 else math.nan
        return self.at_equal_steps_per_image / self.at_equal_steps


def collapse_of(curves):
    """The `Collapse` of some runs.

    Args:
        curves: `Curve`s of at least two N; those of one N are averaged first.
    """
    counts = sorted({curve.count for curve in curves})
    groups = [[curve for curve in curves if curve.count == count] for count in counts]
    return Collapse(_variance(groups, per_image=False), _variance(groups, per_image=True))


def _variance(groups, per_image):
    axes = [
        [np.log(curve.steps / (curve.count if per_image else 1)) for curve in curves]
        for curves in groups
    ]
    flat = [axis for each in axes for axis in each]
    low, high = max(axis[0] for axis in flat), min(axis[-1] for axis in flat)
    if len(groups) < 2 or not low < high:
        return math.nan
    grid = np.linspace(low, high, _POINTS)
    means = [
        np.mean(
            [
                np.interp(grid, axis, curve.memorized)
                for axis, curve in zip(each, curves, strict=True)
            ],
            axis=0,
        )
        for each, curves in zip(axes, groups, strict=True)
    ]
    return float(np.var(means, axis=0, ddof=1).mean())
