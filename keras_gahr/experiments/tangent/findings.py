"""What is claimed of a network that was trained on a family with few parameters.

For small noise the best denoiser projects on the tangent space at the image (arXiv 2310.02557,
sections 3.2 and appendix): as many factors as there are parameters are 1, all others are 0, and

    PSNR = -20 log10(sigma) + 10 log10(d / parameters)

of the mean squared error, which has slope 1. Networks find the space, but keep more than it.
"""

import dataclasses
import functools

import numpy as np
from scipy.special import digamma

from keras_gahr.analysis.psnr_curves import PSNRCurve
from keras_gahr.analysis.slopes import Slope
from keras_gahr.report.claim import Claim, is_above, is_below

SPANNED = 0.8
"""Share of the tangent space that the first eigenvectors must hold; random ones hold m / d of it."""

NEAR = 0.2
"""How far the first factors may be from 1 on average; the paper's largest distance is 0.18."""

DROP = 0.9
"""Ratio of the first factor beyond the parameters to the last one before; the paper's is 0.71."""


@dataclasses.dataclass(frozen=True, eq=False)
class TangentFindings:
    """What was measured.

    Attributes:
        source: the paper's figure.
        dimension: m, the number of parameters.
        span: number of directions that the family's images span around an image and that a network
            can hardly tell from those of the family: m, or more.
        pixels: d.
        factors: (images, k), k > m.
        shares: (images, m), squared cosines of the angles between the tangent space and the first
            m eigenvectors.
        fixed: (images, m), the same of the tangent space and the m smoothest cosines, a basis that
            does not depend on the image.
        dimensions: (images,), effective dimensions.
        curve: `PSNRCurve` of test images.
        slope: `Slope` of it.
    """

    source: str
    dimension: int
    span: int
    pixels: int
    factors: np.ndarray
    shares: np.ndarray
    fixed: np.ndarray
    dimensions: np.ndarray
    curve: PSNRCurve
    slope: Slope

    @property
    def optimal_offset(self):
        """10 log10(d / m), dB: how far the projection's mean squared error is below the noise's."""
        return float(10 * np.log10(self.pixels / self.dimension))

    @property
    def optimal_gain(self):
        """How far the projection's PSNR, a mean of decibels, is above the noise's in expectation, dB.

        It leaves sigma^2 times a chi-squared variable with m degrees of freedom, whose logarithm
        is smaller in the mean than that of its mean: by 5.5 dB for m = 1, by 0.9 for m = 5.
        """
        m = self.dimension
        logarithm = (digamma(m / 2) + np.log(2)) / np.log(10)
        return float(10 * (np.log10(self.pixels) - logarithm))

    @property
    def distances(self):
        """How far each image is below the optimum at the lowest noise level, dB."""
        optimum = self.curve.input_psnr[0] + self.optimal_gain
        return optimum - self.curve.after[0].mean(axis=0)


def first(count, noun):
    """ "first factor", "first 5 factors"."""
    return f"first {noun}" if count == 1 else f"first {count} {noun}s"


def tangent_claims(found):
    """The `Claim`s on `TangentFindings`."""
    m = found.dimension
    about = functools.partial(Claim.about_mean, source=found.source)
    return [
        about(
            found.shares.mean(axis=1),
            is_above,
            SPANNED,
            statement="The tangent space of the family lies within the span of the "
            f"{first(m, 'eigenvector')}.",
            expected=f"more than {SPANNED:g} of it within their span, mean squared cosine of the angles",
        ),
        about(
            (found.shares - found.fixed).mean(axis=1),
            is_above,
            0,
            statement="More of the tangent space lies within the span of the "
            f"{first(m, 'eigenvector')} than within that of the {first(m, 'cosine')}, a basis that "
            "does not adapt.",
            expected="more, mean squared cosine of the angles",
        ),
        about(
            np.abs(found.factors[:, :m] - 1).mean(axis=1),
            is_below,
            NEAR,
            statement=f"The distance of the {first(m, 'factor')} from 1 is small.",
            expected=f"a mean distance from 1 below {NEAR:g}",
        ),
        about(
            found.factors[:, found.span] / found.factors[:, found.span - 1],
            is_below,
            DROP,
            statement=f"The factors fall after number {found.span}.",
            expected=f"factor {found.span + 1} less than {DROP:g} of factor {found.span}",
        ),
        about(
            found.dimensions,
            is_above,
            m,
            statement="The network keeps more directions than the family has.",
            expected=f"an effective dimension above {m}, the optimum",
        ),
        Claim.about(
            found.slope.slope,
            found.slope.interval,
            is_below,
            1,
            statement="The PSNR of the network grows more slowly than the optimum, whose slope is 1.",
            expected="a slope below 1",
            source=found.source,
            unit=" dB per dB",
        ),
        about(
            found.distances,
            is_above,
            0,
            statement="The network stays below the optimal PSNR of small noise.",
            expected=f"more than 0 dB below -20 log10(sigma) + {found.optimal_gain:.2f} dB, which the "
            "projection reaches in the mean, at the lowest noise level",
            unit=" dB",
        ),
    ]
