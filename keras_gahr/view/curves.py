"""Curves that a page draws from their numbers."""

import dataclasses
from collections.abc import Sequence

MOST_POINTS, MOST_FRAMES = 2000, 100


@dataclasses.dataclass(frozen=True)
class Line:
    """A curve.

    Args:
        name: of it.
        x, y: numbers, or None where there is nothing.
        low, high: of a band around it; empty for none.
    """

    name: str
    x: Sequence[float | None]
    y: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()

    @property
    def is_empty(self):
        """Whether there is nothing to draw."""
        return all(value is None for value in self.y)

    def thinned(self):
        """The same with `MOST_POINTS` points or fewer, evenly chosen, the last one among them."""
        kept = even_places(len(self.x), MOST_POINTS)
        parts = (self.x, self.y, self.low, self.high)
        return Line(self.name, *([part[k] for k in kept] if part else () for part in parts))


@dataclasses.dataclass(frozen=True)
class Curves:
    """Curves in one pair of axes, which can be zoomed; of several sets of them, one at a time.

    Args:
        title: what they are.
        x, y: what the axes are.
        frames: for each value of `label` its `Line`s.
        caption: of all.
        label: what a slider over the frames changes.
        values: of it, a string for each frame.
        log_x, log_y: whether these axes are logarithmic.
    """

    title: str
    x: str
    y: str
    frames: Sequence[Sequence[Line]]
    caption: str
    label: str = ""
    values: Sequence[str] = ("",)
    log_x: bool = False
    log_y: bool = False


def even_places(count, most):
    """Places in a sequence: all, or `most` of them, evenly chosen, with the first and the last."""
    if count <= most:
        return list(range(count))
    return sorted({round(k * (count - 1) / (most - 1)) for k in range(most)})
