"""What `duplicates` measures, and whether repeats do what they are dropped for."""

import dataclasses

import numpy as np

from keras_gahr.analysis.intervals import share_difference_interval
from keras_gahr.datasets.duplicates import THRESHOLD, Repeats
from keras_gahr.report.claim import Claim, all_of, in_words, is_above, is_below

from ..capacity.findings import SMALL
from ..gap import Gap

_SOURCE = "ours: why appendix A.1 drops repeats"


@dataclasses.dataclass(frozen=True, eq=False)
class DuplicatesResult:
    """What was found.

    Attributes:
        few, total: distinct images among the repeats, and all of these.
        repeats: `Repeats` among them.
        gaps: the `Gap` of each of `SETS`.
        memorized: of each, bool (P,), whether samples are among its distinct images; see
            `MemorizationReport.memorized_up_to_a_factor`.
        blind: the share of the second network's samples that the rule finds if repeats are
            compared with too.
    """

    few: int
    total: int
    repeats: Repeats
    gaps: dict[str, Gap]
    memorized: dict[str, np.ndarray]
    blind: float

    @property
    def acts_as_few(self):
        """Whether the mean gap with repeats is closer to that of the few than to that of distinct images."""
        repeated, few, distinct = (self.gaps[name].mean for name in ("repeated", "few", "distinct"))
        return abs(repeated - few) < abs(repeated - distinct)


def claims_of(result):
    """That repeats can be told, and that it is right to drop them: a list of `Claim`."""
    planted = range(result.few, result.total)
    dropped = set(result.repeats.dropped.tolist())
    found, wrong = len(dropped & set(planted)), len(dropped - set(planted))
    gaps = {name: gap.mean for name, gap in result.gaps.items()}
    shares = {name: float(of.mean()) for name, of in result.memorized.items()}
    more = share_difference_interval(result.memorized["repeated"], result.memorized["distinct"])
    return [
        Claim(
            f"A correlation above {THRESHOLD:g} at 20x20 pixels tells repeats from other images.",
            found == len(planted) and not wrong,
            f"{found} of {len(planted)} repeats found, {wrong} of {result.few} others dropped",
            "all, and none",
            "Fig. 6, appendix A.1",
        ),
        Claim(
            f"A network denoises {result.total} images, repeats of {result.few}, better than others, "
            "and as many distinct ones no better.",
            all_of(
                is_above(result.gaps["repeated"].mean_interval, SMALL),
                is_below(result.gaps["distinct"].mean_interval, SMALL),
            ),
            f"mean gap {_in_words(result.gaps['repeated'])} with repeats, "
            f"{_in_words(result.gaps['distinct'])} with distinct images",
            f"above {SMALL:g} dB with repeats and below with distinct images",
            _SOURCE,
        ),
        Claim(
            f"A set of {result.total} images, repeats of {result.few}, acts as these {result.few}.",
            result.acts_as_few,
            f"mean gap {gaps['repeated']:.2f} dB, {gaps['few']:.2f} dB with the {result.few} alone, "
            f"{gaps['distinct']:.2f} dB with {result.total} distinct images",
            "closer to that of the few",
            _SOURCE,
        ),
        Claim(
            "With repeats, more samples are training images.",
            is_above(more, 0),
            f"a share of {shares['repeated']:.2f} with repeats, {shares['distinct']:.2f} with distinct "
            f"images: a difference of {in_words(shares['repeated'] - shares['distinct'], more)}",
            "more with repeats",
            _SOURCE,
        ),
    ]


def _in_words(gap):
    return in_words(gap.mean, gap.mean_interval, " dB")
