"""What a benchmark is made of.

A module of a benchmark has a function `cases` that yields pairs (name, ways): a dictionary
{name: `Way`}, or of tuples with its first fields. The first way is the plain one. The others are compared
with it, and with the fastest of the rivals (`benchmarks.comparison`). What costs time or memory is
prepared at a way's first call.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

RIVAL = "published way"
"""The usual name of the plain way."""


class Unable(Exception):
    """A way cannot be gone on this machine, as its first call says; the others can."""


@dataclasses.dataclass(frozen=True)
class Target:
    """What a way must reach; all but the last two are parts of a rival's, smaller is better.

    Args:
        each: of the best rival's time, on every backend.
        backends: {backend: of its time}, where it is another on this one.
        fastest: of its time, on at least one backend.
        plain: of the plain way's time, on at least one backend.
        memory: of the plain way's peak memory.
        seconds: for one unit, at most.
        share: of the rate of matrix products, at least.
    """

    each: float | None = None
    backends: Mapping[str, float] = dataclasses.field(default_factory=dict)
    fastest: float | None = None
    plain: float | None = None
    memory: float | None = None
    seconds: float | None = None
    share: float | None = None

    def of_time(self, backend):
        """The part of the best rival's time that a backend must keep to, or None."""
        return self.backends.get(backend, self.each)

    def verdicts(self, row, backend):
        """What is asked for and known of a row: a list of {"target", "limit", "reached"}."""
        asked = (
            ("time", self.of_time(backend), "ratio"),
            ("time on the fastest backend", self.fastest, "ratio"),
            ("time of the plain way on the fastest backend", self.plain, "plain_ratio"),
            ("memory", self.memory, "memory_ratio"),
            ("seconds", self.seconds, "median"),
            ("share", self.share, "share"),
        )
        return [
            {
                "target": target,
                "limit": limit,
                "reached": row[key] >= limit if target == "share" else row[key] <= limit,
            }
            for target, limit, key in asked
            if limit is not None and row.get(key) is not None
        ]


class Way(NamedTuple):
    """A way to do the work of a case.

    Args:
        function: does some of it, and is over when the device is. If it returns a float, that is the
            seconds which the work took, in place of those of the call.
        units: how many units (images, batches, matrices) a call does; may be a fraction.
        target: a `Target`.
        precision: "float32", "TF32" or "bfloat16".
        flops: floating-point operations a unit, if known.
        rival: whether others are compared with it. Where no way is, the first one is.
    """

    function: Callable
    units: float
    target: Target | None = None
    precision: str = "float32"
    flops: float | None = None
    rival: bool = False
