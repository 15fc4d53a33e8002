"""What `molrg` measures, and whether the claims of arXiv 2310.05264 are seen in it."""

import dataclasses

import numpy as np

from keras_gahr.analysis.intervals import mean_interval, share_difference_interval, share_interval
from keras_gahr.analysis.memorization import REPEAT
from keras_gahr.report.claim import Claim, all_of, in_words, is_above, is_below

SAME, OTHER, TEACHER, COPIER = "same points", "other points", "teacher", "copier"

MANY, FEW = 0.9, 0.5
"""Shares of pairs above and below which networks count as reproducible and as not."""

COPIES = 0.05
"""Share of copies below which networks count as drawing new points."""

PAPER = "arXiv 2310.05264"


@dataclasses.dataclass(frozen=True, eq=False)
class MoLRGResult:
    """What was found with one number of training points.

    Attributes:
        count: N.
        correlation: float64 (S,), of a network's samples with those from the same noise of another network on
            the same points, of one on other points, of the teacher and of the copier, by these names.
        by_chance: float64 (S,), the same with the teacher's samples from other noise.
        distance: float64 (S,), how far these are apart, by the same names; 1 is the deviation of the points.
        memorized: bool (S,), which samples are copies.
        train_error, test_error: float64 (points,), squared error over the mean one of the teacher on test
            points, as a mean over noise levels.
    """

    count: int
    correlation: dict[str, np.ndarray]
    by_chance: np.ndarray
    distance: dict[str, np.ndarray]
    memorized: np.ndarray
    train_error: np.ndarray
    test_error: np.ndarray

    def alike(self, name):
        """Which pairs of samples are alike, bool (S,)."""
        return self.correlation[name] > REPEAT

    def share(self, name):
        """The share of pairs that are alike (RP), with its 95% interval over noise."""
        alike = self.alike(name)
        return float(alike.mean()), share_interval(alike)

    @property
    def lead(self):
        """How much farther the copier's sample is than the teacher's, (S,)."""
        return self.distance[COPIER] - self.distance[TEACHER]


def claims_of(results):
    """What the paper says of such results, a list of `Claim`.

    Args:
        results: `MoLRGResult`s, in ascending order of N.
    """
    first, last = results[0], results[-1]
    few, many = f"With few points (N = {first.count})", f"With many points (N = {last.count})"
    shares = [result.share(OTHER)[0] for result in (first, last)]
    rise = share_difference_interval(last.alike(OTHER), first.alike(OTHER))
    more = first.share(SAME)[0] - first.share(OTHER)[0]
    gained = share_difference_interval(first.alike(SAME), first.alike(OTHER), paired=True)
    leads = [(float(r.lead.mean()), mean_interval(r.lead)) for r in (first, last)]
    return [
        _of_share(
            f"{few} networks that share none of them draw other samples from the same noise.",
            *first.share(OTHER),
            is_below,
            FEW,
        ),
        Claim(
            f"{few} networks on the same points are more alike than networks on other points.",
            is_above(gained, 0),
            f"{first.share(SAME)[0]:.2f} against {first.share(OTHER)[0]:.2f} of the pairs alike: "
            + in_words(more, gained),
            "a difference above 0",
            PAPER,
        ),
        _of_share(
            f"{many} networks that share none of them draw the same samples from the same noise.",
            *last.share(OTHER),
            is_above,
            MANY,
        ),
        Claim(
            "From few to many points networks on other points become reproducible.",
            is_above(rise, 0),
            f"{shares[0]:.2f}, then {shares[1]:.2f} of the pairs alike: a change of "
            + in_words(shares[1] - shares[0], rise),
            "a rise",
            PAPER,
        ),
        _of_share(
            f"{many} the optimum of the law draws the samples of the network.",
            *last.share(TEACHER),
            is_above,
            MANY,
        ),
        Claim(
            "With few points the copier draws more nearly what the network draws, with many the teacher.",
            all_of(is_below(leads[0][1], 0), is_above(leads[1][1], 0)),
            "E_mem - E_gen "
            + ", ".join(
                f"{in_words(*lead)} at N = {r.count}"
                for r, lead in zip((first, last), leads, strict=True)
            ),
            "below 0 at the smallest N, above 0 at the largest",
            PAPER,
        ),
        _of_share(
            f"{many} samples are new: no copies of training points.",
            float(last.memorized.mean()),
            share_interval(last.memorized),
            is_below,
            COPIES,
        ),
    ]


def _of_share(statement, value, interval, decide, bound):
    word = "above" if decide is is_above else "below"
    return Claim.about(
        value,
        interval,
        decide,
        bound,
        statement=statement,
        expected=f"a share {word} {bound:g}",
        source=PAPER,
    )
