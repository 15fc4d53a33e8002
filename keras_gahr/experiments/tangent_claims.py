"""What is claimed of a network that was trained on a family with few parameters.

For small noise the best denoiser projects on the tangent space at the image (arXiv 2310.02557,
sections 3.2 and appendix): as many factors as there are parameters are 1, all others are 0, and

    PSNR = -20 log10(sigma) + 10 log10(d / parameters),

which has slope 1. Networks find the space, but keep more than it.
"""

import dataclasses

import numpy as np

from keras_gahr.analysis.intervals import mean_interval
from keras_gahr.analysis.psnr_curves import PSNRCurve
from keras_gahr.analysis.slopes import Slope
from keras_gahr.report.document import Claim

from .decisions import in_words, is_above, is_below

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
        pixels: d.
        factors: (images, k), k > m.
        shares: (images, m), squared cosines of the angles between the tangent space and the first
            m eigenvectors.
        dimensions: (images,), effective dimensions.
        curve: `PSNRCurve` of test images.
        slope: `Slope` of it.
    """

    source: str
    dimension: int
    pixels: int
    factors: np.ndarray
    shares: np.ndarray
    dimensions: np.ndarray
    curve: PSNRCurve
    slope: Slope

    @property
    def optimal_offset(self):
        """10 log10(d / m), dB."""
        return float(10 * np.log10(self.pixels / self.dimension))

    @property
    def distances(self):
        """How far each image is below the optimum at the lowest noise level, dB."""
        optimum = self.curve.input_psnr[0] + self.optimal_offset
        return optimum - self.curve.after[0].mean(axis=0)


def tangent_claims(found):
    """The `Claim`s on `TangentFindings`."""
    m = found.dimension
    distance = np.abs(found.factors[:, :m] - 1).mean(axis=1)
    drop = found.factors[:, m] / found.factors[:, m - 1]

    def claim(statement, values, decide, bound, expected, unit=""):
        interval = mean_interval(values)
        return Claim(
            statement,
            decide(interval, bound),
            in_words(float(np.mean(values)), interval, unit),
            expected,
            found.source,
        )

    return [
        claim(
            f"The first {m} eigenvector(s) span the tangent space of the family.",
            found.shares.mean(axis=1),
            is_above,
            SPANNED,
            f"more than {SPANNED:g} of it within their span, mean squared cosine of the angles",
        ),
        claim(
            f"The first {m} factor(s) are near 1.",
            distance,
            is_below,
            NEAR,
            f"a mean distance from 1 below {NEAR:g}",
        ),
        claim(
            f"The factors fall after the first {m}.",
            drop,
            is_below,
            DROP,
            f"factor {m + 1} less than {DROP:g} of factor {m}",
        ),
        claim(
            "The network keeps more directions than the family has.",
            found.dimensions,
            is_above,
            m,
            f"an effective dimension above {m}, the optimum",
        ),
        Claim(
            "The PSNR of the network grows more slowly than the optimum, whose slope is 1.",
            is_below(found.slope.interval, 1),
            in_words(found.slope.slope, found.slope.interval, " dB per dB"),
            "a slope below 1",
            found.source,
        ),
        claim(
            "The network stays below the optimal PSNR of small noise.",
            found.distances,
            is_above,
            0,
            f"below -20 log10(sigma) + {found.optimal_offset:.2f} dB at the lowest noise level",
            " dB",
        ),
    ]
