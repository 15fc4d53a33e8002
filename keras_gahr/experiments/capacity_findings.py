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
        """The N from which the mean gap stays below `SMALL` dB, between two of `counts`.

        It is interpolated on a logarithmic scale: None if the gap never is below, the smallest N if
        it always is.
        """
        means = [gap.mean for gap in self.gaps]
        above = [place for place, mean in enumerate(means) if mean >= SMALL]
        if not above:
            return float(self.counts[0])
        last = above[-1]
        if last == len(means) - 1:
            return None
        pair = slice(last, last + 2)
        return math.exp(
            np.interp(-SMALL, [-mean for mean in means[pair]], np.log(self.counts[pair]))
        )


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
    most = large.counts[-1]
    needed = [math.inf if result.enough is None else result.enough for result in (small, large)]
    passed = needed[1] > needed[0]
    if needed[0] == needed[1]:
        # Both below or both above the range of set sizes: that says nothing.
        passed = None
    return Claim(
        "Larger images, with networks that are larger in proportion, need more training images.",
        passed,
        "; ".join(
            f"{result.label}: " + (f"about {count:.0f}" if count <= most else f"more than {most}")
            for result, count in zip((small, large), needed, strict=True)
        ),
        f"more until the mean gap is below {SMALL:g} dB for the largest than for the smallest",
        "Figs. 1, 11, 12, 15",
    )


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
                        r.enough and round(r.enough),
                        *(round(gap.mean, 2) for gap in r.gaps),
                    )
                    for r in results
                ],
                "Receptive fields in pixels, from Table 1; mean gaps in dB. The paper's networks "
                "have 64 kernels.",
            )
        ],
    )
