"""What `capacity` measures, and whether the paper's claims are seen in it."""

import dataclasses
import math

import numpy as np

from keras_gahr.report.claim import Claim, all_of, in_words, is_above, is_below

from ..gap import Gap

SMALL = 1.0
"""dB; a network whose mean gap is below this is said to have enough images."""


@dataclasses.dataclass(frozen=True, eq=False)
class CapacityResult:
    """What was found for one size of images.

    Attributes:
        size, blocks: pixels a side, and of the U-Net.
        parameters: of the network.
        counts: numbers of training images N, ascending.
        gaps: the `Gap` for each.
    """

    size: int
    blocks: int
    parameters: int
    counts: tuple[int, ...]
    gaps: tuple[Gap, ...]

    @property
    def label(self):
        return f"{self.size}x{self.size}, {self.blocks} block{'s' * (self.blocks > 1)}"

    @property
    def enough(self):
        """The N from which the mean gap stays below `SMALL` dB; see `enough_of`."""
        return enough_of(self.counts, [gap.mean for gap in self.gaps])

    @property
    def enough_interval(self):
        """`enough` if all gaps are at the lower and at the upper ends of their 95% intervals.

        Any number, where a gap has none.
        """
        intervals = [gap.mean_interval for gap in self.gaps]
        if np.isnan(intervals).any():
            return float(self.counts[0]), math.inf
        return tuple(enough_of(self.counts, gaps) for gaps in zip(*intervals, strict=True))


def enough_of(counts, gaps):
    """The number of training images from which gaps in dB stay below `SMALL`.

    It is interpolated between two of the numbers on a logarithmic scale; it is the smallest one if
    all gaps are below, infinity if the last one is not.
    """
    above = [place for place, value in enumerate(gaps) if value >= SMALL]
    if not above:
        return float(counts[0])
    last = above[-1]
    if last == len(gaps) - 1:
        return math.inf
    pair = slice(last, last + 2)
    return math.exp(np.interp(-SMALL, [-value for value in gaps[pair]], np.log(counts[pair])))


def claims_of(results):
    """What the paper shows of such results, a list of `Claim`.

    Args:
        results: `CapacityResult`s, in ascending order of size.
    """
    return [*map(_closing_claim, results), _largest_claim(results)]


def _closing_claim(result):
    first, last = result.gaps[0], result.gaps[-1]
    return Claim(
        f"At {result.label}, the gap closes with the number of training images.",
        all_of(is_above(first.mean_interval, SMALL), is_below(last.mean_interval, SMALL)),
        f"{in_words(first.mean, first.mean_interval, ' dB')} with {result.counts[0]} images, "
        f"{in_words(last.mean, last.mean_interval, ' dB')} with {result.counts[-1]}",
        f"mean gap above {SMALL:g} dB with the fewest and below with the most",
        "Fig. 15",
    )


def _largest_claim(results):
    small, large = results[0], results[-1]
    (low, high), (larger_low, larger_high) = small.enough_interval, large.enough_interval
    passed = None
    if larger_low > high:
        passed = True
    elif larger_high < low:
        passed = False
    return Claim(
        "Larger images, with networks that are larger in proportion, need more training images.",
        passed,
        f"{small.label}: {_images_in_words(small)}; {large.label}: {_images_in_words(large)}",
        f"more until the mean gap is below {SMALL:g} dB for the largest than for the smallest",
        "Figs. 1, 11, 12",
    )


def _images_in_words(result):
    low, high = (
        f"more than {result.counts[-1]}" if count == math.inf else f"{count:.0f}"
        for count in result.enough_interval
    )
    return low if low == high else f"{low} to {high}"
