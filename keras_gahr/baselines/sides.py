"""How wide a denoiser's square of pixels is: one side, or one for each noise level."""

import math
import numbers

from keras import ops

from keras_gahr.errors import InputError

_MOST_LEVELS = 1000
_LONGEST = 10**6


class Sides:
    """The sides of squares, by noise levels; between two of them the one that is nearer in log sigma.

    Args:
        patch: a side in pixels, odd; or a sequence of (sigma, side).

    Raises:
        InputError: for sides that are not odd, no level above 0, and levels that come twice.
    """

    def __init__(self, patch):
        if _is_number(patch):
            self.patch = _whole_side(patch)
            self._sides, self._limits = [self.patch], []
            return
        self.patch = rows = sorted(_rows(patch))
        levels, sides = zip(*rows, strict=True)
        if len({*levels}) < len(levels):
            raise InputError("received a table of sides with a noise level twice: give each once")
        # Neighbours of one side are one range.
        starts = [i for i in range(len(sides)) if i == 0 or sides[i] != sides[i - 1]]
        self._sides = [sides[i] for i in starts]
        self._limits = [math.sqrt(levels[i - 1] * levels[i]) for i in starts[1:]]

    @property
    def is_one(self):
        """Whether there is one side for all levels."""
        return len(self._sides) == 1

    def of(self, sigma):
        """The side at a noise level."""
        return self._sides[sum(sigma > limit for limit in self._limits)]

    def call(self, of_side, noisy, sigma):
        """`of_side(side)(noisy, sigma)` with the side at a noise level, a scalar tensor."""
        return self._chosen(0, of_side, noisy, sigma)

    def _chosen(self, at, of_side, noisy, sigma):
        def own():
            return of_side(self._sides[at])(noisy, sigma)

        if at == len(self._limits):
            return own()
        return ops.cond(
            sigma > self._limits[at], lambda: self._chosen(at + 1, of_side, noisy, sigma), own
        )


def _is_number(patch):
    return isinstance(patch, numbers.Number | str)


def _whole_side(side):
    whole = isinstance(side, numbers.Integral) and not isinstance(side, bool)
    if not whole or not 0 < int(side) < _LONGEST or int(side) % 2 == 0:
        raise InputError(
            f"received a square of side {side!r:.40}, expected an odd number of pixels, as 3 or 15, whose "
            "middle is a pixel"
        )
    return int(side)


def _rows(table):
    try:
        rows = [(float(sigma), side) for sigma, side in table]
    except (TypeError, ValueError):
        raise InputError(
            "received no table of sides: expected an odd number, or a list of (sigma, side)"
        ) from None
    if not 0 < len(rows) <= _MOST_LEVELS:
        raise InputError(
            f"received a table of {len(rows)} noise levels, expected 1 to {_MOST_LEVELS}"
        )
    for sigma, side in rows:
        if not 0 < sigma < math.inf:
            raise InputError(
                f"received sigma = {sigma} in a table of sides, expected a level above 0"
            )
        _whole_side(side)
    return [(sigma, int(side)) for sigma, side in rows]
