"""What `capacity` measures, and its report: figure 15 of arXiv 2310.02557."""

import dataclasses
import math

import numpy as np

from keras_gahr.report.document import Claim, Picture, Section, Table
from keras_gahr.report.figures import png_bytes
from keras_gahr.report.memory_figures import gap_figure

from .decisions import all_of, in_words, is_above, is_below
from .gap import Gap

SMALL = 1.0
"""dB; a network whose mean gap is below this is said to have enough images."""

PAPER_FIELDS = {1: 18, 2: 44, 3: 92, 4: 188}
"""Receptive fields of the paper's table 1 by number of blocks, in pixels."""


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
        """`enough` if all gaps are at the lower and at the upper ends of their 95% intervals."""
        ends = zip(*(gap.mean_interval for gap in self.gaps), strict=True)
        return tuple(enough_of(self.counts, gaps) for gaps in ends)


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


def answer(results):
    return " ".join(
        f"{result.label}: the mean gap fell from {result.gaps[0].mean:.1f} to "
        f"{result.gaps[-1].mean:.1f} dB between {result.counts[0]} and {result.counts[-1]} images."
        for result in results
    )


def gap_section(results):
    curves = [
        (r.label, r.counts, [gap.mean for gap in r.gaps], [gap.mean_interval for gap in r.gaps])
        for r in results
    ]
    picture = Picture(
        "gap",
        png_bytes(gap_figure("The gap closes with more images", curves, SMALL)),
        "PSNR on training images less that on test images, mean over the noise levels, with 95% "
        "intervals over images. The paper's Fig. 15.",
        answer(results),
    )
    return Section("The gap", items=[picture])


def numbers_section(results):
    return Section(
        "Numbers",
        items=[
            Table(
                (
                    "images",
                    "blocks",
                    "parameters",
                    "receptive field (the paper)",
                    f"images until {SMALL:g} dB",
                    *(f"gap, N = {count}" for count in results[0].counts),
                ),
                [
                    (
                        f"{r.size}x{r.size}",
                        r.blocks,
                        r.parameters,
                        PAPER_FIELDS.get(r.blocks),
                        None if r.enough == math.inf else round(r.enough),
                        *(round(gap.mean, 2) for gap in r.gaps),
                    )
                    for r in results
                ],
                "Receptive fields in pixels, from Table 1; mean gaps in dB. The paper's networks "
                "have 64 kernels.",
            )
        ],
    )
