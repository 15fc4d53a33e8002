"""A measure of copying, with an interval, and what it is where nothing was copied."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ..intervals import share_interval


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval.

    Attributes:
        value: the number.
        interval: (low, high).
        count: how many values it is of.
    """

    value: float
    interval: tuple[float, float]
    count: int

    @classmethod
    def of_share(cls, values: np.ndarray) -> Estimate:
        """The share of values that are true, with Wilson's interval."""
        return cls(float(np.mean(values)), share_interval(values), len(values))

    def numbers(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {"value": self.value, "interval_95": list(self.interval), "count": self.count}


@dataclasses.dataclass(frozen=True)
class Measure:
    """What a measure is of the samples, and where nothing was copied.

    Attributes:
        found: of the samples.
        null: the same measure of images that are no samples.
    """

    found: Estimate
    null: Estimate

    def numbers(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {**self.found.numbers(), "null": self.null.numbers()}
