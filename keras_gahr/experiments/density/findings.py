"""What `density` measures, and whether the claims of arXiv 2506.05310 are seen in it."""

import dataclasses

import numpy as np

from keras_gahr.analysis import DensityComparison, LogDensity
from keras_gahr.analysis.intervals import difference_interval, mean_interval
from keras_gahr.report.claim import Claim, all_of, in_words, is_above, is_below

AGREEING = 0.9
"""The correlation of log densities above which two networks agree."""

_SOURCE = "strong generalization"


_MIXTURE = "known law"


@dataclasses.dataclass(frozen=True, eq=False)
class TwinDensities:
    """The densities of the same new images under two networks that share no training images.

    Attributes:
        count: N.
        first, second: `LogDensity` under networks A and B.
    """

    count: int
    first: LogDensity
    second: LogDensity

    @property
    def agreement(self):
        """The correlation of log p over images, and its 95% interval."""
        return likeness(self.first, self.second)

    @property
    def disagreement(self):
        """|log p_A - log p_B| in bits per dimension, (N,)."""
        return np.abs(self.first.bits_per_dimension - self.second.bits_per_dimension)


@dataclasses.dataclass(frozen=True, eq=False)
class AgreementResult(TwinDensities):
    """What was found with one number of training images.

    Attributes:
        own: `LogDensity` of training images of A under A.
    """

    own: LogDensity

    def compared(self, images):
        """The `DensityComparison` of A's and B's densities of these images."""
        return DensityComparison.of(self.first, images, self.own, self.second)

    @property
    def advantage(self):
        """By how many bits per dimension A finds its training images more probable than others."""
        return float(self.first.bits_per_dimension.mean() - self.own.bits_per_dimension.mean())

    @property
    def advantage_interval(self):
        """Its 95% interval."""
        return difference_interval(self.first.bits_per_dimension, self.own.bits_per_dimension)


@dataclasses.dataclass(frozen=True, eq=False)
class Teacher:
    """What is known of the points of a law.

    Attributes:
        truth: `LogDensity` of the same points as everywhere here, in closed form.
        gaussian: that of the Gaussian with the mean and the covariance of the law.
        control: what is found of the best denoiser as it is of networks.
    """

    truth: LogDensity
    gaussian: LogDensity
    control: LogDensity

    @classmethod
    def of(cls, control, truth, gaussian):
        """With log densities in nats, (N,), of the points of which `control` is."""
        exact = (
            dataclasses.replace(
                control,
                log_density=values,
                **dict.fromkeys(("standard_error", "reach"), np.zeros(len(values))),
                evaluations=np.zeros(len(values), np.int64),
                method="closed form",
            )
            for values in (truth, gaussian)
        )
        return cls(*exact, control)

    def gap(self, found):
        """By how much log p is below the true one, in bits per dimension, (N,).

        The mean over points of the law estimates the divergence KL(p | p_found), per dimension.
        """
        return found.bits_per_dimension - self.truth.bits_per_dimension


def likeness(found, other):
    """The correlation of two `LogDensity`s of the same images, with its 95% interval."""
    return DensityComparison(found, np.empty(0), twin=other).agreement


def claims_of(results):
    """The `Claim`s on `AgreementResult`s, in ascending order of N."""
    first, last = results[0], results[-1]
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
        # Of the same images.
        Claim.about_mean(
            first.disagreement - last.disagreement,
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


def teacher_claims(teacher, results):
    """The `Claim`s on a `Teacher` and `TwinDensities` of its points, in ascending order of N."""
    first, last = results[0], results[-1]
    gaps = [teacher.gap(found) for found in (first.first, last.first, teacher.gaussian)]
    return [
        Claim(
            f"With few points of a known law (N = {first.count}) two networks do not find the same others "
            f"probable, with many (N = {last.count}) they do.",
            all_of(is_below(first.agreement[1], AGREEING), is_above(last.agreement[1], AGREEING)),
            f"correlations {in_words(*first.agreement)} and {in_words(*last.agreement)}",
            f"below {AGREEING:g}, then above",
            _MIXTURE,
        ),
        Claim.about(
            *likeness(last.first, teacher.truth),
            is_above,
            AGREEING,
            statement=f"With many points (N = {last.count}) their density under a network is the true one.",
            expected=f"a correlation of log p with the true one above {AGREEING:g}",
            source=_MIXTURE,
        ),
        Claim.about_mean(
            gaps[0] - gaps[1],
            is_above,
            0,
            statement="With more points the density comes nearer to the true one.",
            expected="a divergence that falls",
            source=_MIXTURE,
            unit=" bits per dimension less",
        ),
        Claim.about_mean(
            gaps[2] - gaps[1],
            is_above,
            0,
            statement=f"With many points (N = {last.count}) it is nearer than the best Gaussian.",
            expected="a smaller divergence than that of the Gaussian with the law's mean and covariance",
            source=_MIXTURE,
            unit=" bits per dimension nearer",
        ),
    ]


def mean_and_interval(values):
    """In words: the mean of values and its 95% interval over images."""
    return in_words(float(np.mean(values)), mean_interval(values))
