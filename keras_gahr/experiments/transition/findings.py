"""What `transition` measures, and whether the paper's claims are seen in it."""

import dataclasses
import math

import numpy as np

from keras_gahr.analysis import Explanation
from keras_gahr.analysis.explanation.report import EXPLAINED
from keras_gahr.analysis.intervals import difference_interval, share_interval
from keras_gahr.analysis.memorization import verdict
from keras_gahr.analysis.slopes import fit_slope
from keras_gahr.report.claim import Claim, all_of, in_words, is_above, is_below

from ..explanation import in_255ths
from ..explanations import MIDDLE, unexplained_by_copying
from ..gap import Gap

FEW = 10
"""Training images that any of these networks can learn by heart."""

STEEP, FLAT = 0.7, 0.4
"""Slopes (dB per dB) above and below which a PSNR curve counts as steep and as flat."""

LOUD = 0.09
"""The noise level from which slopes are fitted: below it the curve of a short training levels off."""

WIDE, NARROW = 3.0, 0.5
"""Gaps (dB) between train and test above and below which they count as apart and as one."""


@dataclasses.dataclass(frozen=True, eq=False)
class SetResult:
    """What was found with one number of training images.

    Args:
        count: N.
        gap: `Gap` of network A.
        twins: (P,), correlation of A's and B's sample from the same noise.
        closest: (P,), the larger of the correlations of A's sample with A's training images and of
            B's with B's.
        memorized: bool (2 P,), of A's and B's samples; see `memorized_in_a_way`.
        explanation: `Explanation` of network A.
    """

    count: int
    gap: Gap
    twins: np.ndarray
    closest: np.ndarray
    memorized: np.ndarray
    explanation: Explanation

    @property
    def closer(self):
        """bool (P,): whether twins are closer to each other than to any training image."""
        return self.twins > self.closest

    @property
    def verdict(self):
        """ "memorized", "generalized" or "neither"; see `keras_gahr.analysis.memorization.RULE`."""
        return verdict(self.memorized, self.closer)


def crossing_of(results):
    """The N above which twins are closer to each other than to training images, on average.

    It is interpolated between two set sizes on a logarithmic scale; None if the means do not
    cross, or if they cross back.
    """
    difference = [float(result.twins.mean() - result.closest.mean()) for result in results]
    signs = np.sign(difference)
    places = np.flatnonzero(np.diff(signs > 0))
    if len(places) != 1 or signs[-1] <= 0:
        return None
    before, after = results[places[0]].count, results[places[0] + 1].count
    low, high = difference[places[0]], difference[places[0] + 1]
    return math.exp(np.interp(0, [low, high], np.log([before, after])))


def slopes_of(gap):
    """The slopes of the curves of a `Gap`'s training and test images, dB per dB, from `LOUD` up."""
    return tuple(fit_slope(curve, LOUD).slope for curve in (gap.train, gap.test))


def claims_of(results):
    """What the paper says of such results, a list of `Claim`.

    Args:
        results: `SetResult`s, in ascending order of N.
    """
    first, last = results[0], results[-1]
    few = [result for result in results if result.count <= FEW] or [first]
    least = min(few, key=lambda result: result.memorized.mean())
    train, test = slopes_of(first.gap)
    share = least.memorized.mean()
    rising = difference_interval(last.twins, first.twins)
    falling = difference_interval(last.closest, first.closest)
    return [
        Claim(
            f"With few training images (N = {first.count}) the network denoises these far better "
            "than others.",
            is_above(first.gap.largest_interval, WIDE),
            f"largest gap {in_words(first.gap.largest, first.gap.largest_interval, ' dB')}",
            f"above {WIDE:g} dB at some noise level",
            "Fig. 1",
        ),
        Claim(
            f"With few training images (N = {first.count}) the PSNR curve of these is steep, as if "
            "the image were known, and that of other images is flat.",
            train > STEEP and test < FLAT,
            f"slopes {train:.2f} and {test:.2f} dB per dB from sigma = {LOUD:g}",
            f"above {STEEP:g} (the paper: 1) and below {FLAT:g}",
            "Fig. 1",
        ),
        Claim(
            f"With many training images (N = {last.count}) the network denoises others as well.",
            is_below(last.gap.largest_interval, NARROW),
            f"largest gap {in_words(last.gap.largest, last.gap.largest_interval, ' dB')}",
            f"below {NARROW:g} dB at all noise levels",
            "Fig. 1",
        ),
        Claim(
            f"With few training images (N = {least.count}) samples are training images.",
            is_above(share_interval(least.memorized), 0.5),
            f"{_of(least.memorized)} memorized, "
            + in_words(share, share_interval(least.memorized)),
            "more than half",
            "Fig. 2",
        ),
        Claim(
            f"With many training images (N = {last.count}) no sample is one.",
            not last.memorized.any(),
            f"{_of(last.memorized)} memorized",
            "none",
            "Fig. 2",
        ),
        Claim(
            f"With many training images (N = {last.count}) the two networks' samples from the same "
            "noise are closer to each other than to any training image.",
            is_above(share_interval(last.closer), 0.5),
            f"{_of(last.closer)} pairs, "
            f"{in_words(last.closer.mean(), share_interval(last.closer))}; mean correlation "
            f"{last.twins.mean():.3f} of twins, {last.closest.mean():.3f} with training images",
            "more than half of the pairs",
            "Fig. 2",
        ),
        Claim(
            "From few to many training images the twins become more alike, and samples less like "
            "training images.",
            all_of(is_above(rising, 0), is_below(falling, 0)),
            f"correlation of twins {_change(first.twins, last.twins, rising)}; with training images "
            + _change(first.closest, last.closest, falling),
            "a rise and a fall",
            "Fig. 2",
        ),
        _copying_claim("With few training images (N = {}) copying explains", few[-1], is_below),
        _copying_claim("With many (N = {}) copying does not explain", last, is_above),
    ]


def _copying_claim(words, result, decide):
    """Of noisy training images, where a copy is at its best."""
    sigma = in_255ths(result.explanation.sigmas[MIDDLE])
    side = "below" if decide is is_below else "above"
    return Claim.about_mean(
        unexplained_by_copying(result.explanation),
        decide,
        EXPLAINED,
        statement=f"{words.format(result.count)} what the network does to noisy training images.",
        expected=f"an unexplained share of |D(y) - y|^2 {side} {EXPLAINED:g} at sigma = {sigma}",
        source="arXiv 2505.20123",
    )


def _change(before, after, interval):
    """Two means, and their difference with its interval."""
    before, after = float(before.mean()), float(after.mean())
    return f"{before:.3f}, then {after:.3f}: a change of {in_words(after - before, interval)}"


def _of(values):
    return f"{int(values.sum())} of {len(values)}"
