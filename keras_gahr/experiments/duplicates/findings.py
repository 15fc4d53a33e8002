"""What `duplicates` measures, and whether repeats do what they are dropped for."""

import dataclasses

import numpy as np

from keras_gahr.analysis.intervals import difference_interval
from keras_gahr.datasets.duplicates import THRESHOLD, Repeats
from keras_gahr.report.claim import Claim, in_words, is_above

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


def claims_of(result):
    """That repeats can be told, and that it is right to drop them: a list of `Claim`."""
    planted = range(result.few, result.total)
    dropped = set(result.repeats.dropped.tolist())
    found, wrong = len(dropped & set(planted)), len(dropped - set(planted))
    gaps = {name: gap.mean for name, gap in result.gaps.items()}
    wider, interval = _wider(result)
    shares = {name: float(of.mean()) for name, of in result.memorized.items()}
    more = difference_interval(result.memorized["repeated"], result.memorized["distinct"])
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
            "where it would denoise as many distinct ones no better.",
            is_above(interval, 0.5),
            f"mean gap {gaps['repeated']:.2f} dB with repeats, {gaps['distinct']:.2f} dB with "
            f"distinct images; difference {in_words(wider, interval, ' dB')}",
            "more than 0.5 dB wider with repeats",
            _SOURCE,
        ),
        Claim(
            f"A set of {result.total} images, repeats of {result.few}, acts as these {result.few}.",
            abs(gaps["repeated"] - gaps["few"]) < abs(gaps["repeated"] - gaps["distinct"]),
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


def _wider(result):
    """By how much repeats widen the mean gap, dB, and its 95% interval."""
    repeated, distinct = result.gaps["repeated"], result.gaps["distinct"]
    wider = repeated.mean - distinct.mean
    half = np.hypot(*(np.ptp(gap.mean_interval) / 2 for gap in (repeated, distinct)))
    return wider, (float(wider - half), float(wider + half))
