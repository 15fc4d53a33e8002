"""What `density` measures, and whether the claims of arXiv 2506.05310 are seen in it."""

import dataclasses

import numpy as np

from keras_gahr.analysis import DensityComparison, LogDensity
from keras_gahr.analysis.intervals import difference_interval, mean_interval
from keras_gahr.report.claim import Claim, in_words, is_above, is_below

AGREEING = 0.9
"""The correlation of log densities above which two networks agree."""

_SOURCE = "strong generalization"


@dataclasses.dataclass(frozen=True, eq=False)
class AgreementResult:
    """What was found with one number of training images.

    Attributes:
        count: N.
        first, second: `LogDensity` of the same new images under networks A and B.
        own: that of training images of A under A.
    """

    count: int
    first: LogDensity
    second: LogDensity
    own: LogDensity

    def compared(self, images):
        """The `DensityComparison` of A's and B's densities of these images."""
        return DensityComparison.of(self.first, images, self.own, self.second)

    @property
    def agreement(self):
        """The correlation of log p over images, and its 95% interval."""
        return DensityComparison(self.first, np.empty(0), twin=self.second).agreement

    @property
    def advantage(self):
        """By how many bits per dimension A finds its training images more probable than others."""
        return float(self.first.bits_per_dimension.mean() - self.own.bits_per_dimension.mean())

    @property
    def advantage_interval(self):
        """Its 95% interval."""
        return difference_interval(self.first.bits_per_dimension, self.own.bits_per_dimension)

    @property
    def disagreement(self):
        """|log p_A - log p_B| in bits per dimension, (N,)."""
        return np.abs(self.first.bits_per_dimension - self.second.bits_per_dimension)


def claims_of(results):
    """The `Claim`s on `AgreementResult`s, in ascending order of N."""
    first, last = results[0], results[-1]
    nearer = difference_interval(first.disagreement, last.disagreement)
    return [
        Claim.about(
            *last.agreement,
            is_above,
            AGREEING,
            statement=f"With many training images (N = {last.count}) both networks find the same images "
            "probable.",
            expected=f"a correlation of log p above {AGREEING:g}",
            source=_SOURCE,
        ),
        Claim.about(
            float(first.disagreement.mean() - last.disagreement.mean()),
            nearer,
            is_above,
            0,
            statement="With more training images the two networks' densities of an image come nearer.",
            expected="a difference that falls",
            source=_SOURCE,
            unit=" bits per dimension less",
        ),
        Claim.about(
            first.advantage,
            first.advantage_interval,
            is_above,
            1,
            statement=f"With few training images (N = {first.count}) a network finds these far more "
            "probable than others.",
            expected="by more than 1 bit per dimension",
            source=_SOURCE,
            unit=" bits per dimension",
        ),
        Claim.about(
            last.advantage,
            last.advantage_interval,
            is_below,
            0.5,
            statement=f"With many training images (N = {last.count}) it does not.",
            expected="by less than 0.5 bits per dimension",
            source=_SOURCE,
            unit=" bits per dimension",
        ),
    ]


def mean_and_interval(values):
    """In words: the mean of values and its 95% interval over images."""
    return in_words(float(np.mean(values)), mean_interval(values))
