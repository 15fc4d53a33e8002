"""When to look: at steps that are evenly spaced on a logarithmic axis."""

import bisect
import itertools

FIRST = 10
"""The first step that is looked at: before it, a network has learned next to nothing."""

_LAST = 10**12


class LogSteps:
    """The steps `FIRST` * 10^(k / per_decade), k = 0, 1, ..., as whole numbers.

    Args:
        per_decade: how many of them lie in a factor of ten; may be a fraction.
    """

    def __init__(self, per_decade: float) -> None:
        self.per_decade = per_decade
        steps = (round(FIRST * 10 ** (k / per_decade)) for k in itertools.count())
        # Where they lie close, some are the same whole number.
        self._steps = list(dict.fromkeys(itertools.takewhile(_LAST.__ge__, steps)))

    def up_to(self, step: int) -> list[int]:
        """Those that are no later than a step."""
        return self._steps[: bisect.bisect_right(self._steps, step)]

    def due(self, step: int, last: int) -> bool:
        """Whether one of them lies after the step of the last look, and no later than this one."""
        return bisect.bisect_right(self._steps, step) > bisect.bisect_right(self._steps, last)
