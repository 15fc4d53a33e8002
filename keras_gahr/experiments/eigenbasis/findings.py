"""What is claimed of the bases in which networks denoise images (arXiv 2310.02557, figure 3)."""

import dataclasses
import functools

import numpy as np
from scipy import stats

from keras_gahr.report.claim import Claim, is_above, is_below

SPARSE = 0.25
"""Share of all directions that the effective dimension stays below."""

RISING = 0.5
"""Rank correlation of the number of an eigenvector and its frequency."""

SOURCE = "Fig. 3"


@dataclasses.dataclass(frozen=True, eq=False)
class AdaptiveFindings:
    """What was measured at each image.

    Attributes:
        dimensions: (images,), effective dimensions divided by the number of pixels.
        own, other: (images,), the part of the image, without its mean, that is left beyond the first
            eigenvectors at that image, and beyond as many at another image; in dB of its power.
        rising: (images,), the rank correlation of k and the frequency of eigenvector k.
        crowding: (images,), how much denser eigenvectors are on contours than elsewhere.
    """

    dimensions: np.ndarray
    own: np.ndarray
    other: np.ndarray
    rising: np.ndarray
    crowding: np.ndarray


def adaptive_findings(bases):
    """The `AdaptiveFindings` of a list of at least two `ImageBasis`."""
    following = bases[1:] + bases[:1]
    return AdaptiveFindings(
        np.array([each.basis.statistics.effective_dimension / each.clean.size for each in bases]),
        np.array([remainder(each.clean, each.basis.right) for each in bases]),
        np.array(
            [
                remainder(each.clean, other.basis.right)
                for each, other in zip(bases, following, strict=True)
            ]
        ),
        np.array([_rising(each.basis.left) for each in bases]),
        np.array([crowding(each.clean, each.basis.left) for each in bases]),
    )


def adaptive_claims(found):
    """The `Claim`s on `AdaptiveFindings`."""
    about = functools.partial(Claim.about_mean, source=SOURCE)
    return [
        about(
            found.dimensions,
            is_below,
            SPARSE,
            statement="The network keeps few directions of a noisy image.",
            expected=f"an effective dimension below {SPARSE:g} of the pixels",
        ),
        about(
            found.other - found.own,
            is_above,
            0,
            statement="The basis adapts to the image: its own holds more of it than that of another "
            "image.",
            expected="less of the image left beyond the first eigenvectors, by more than 0 dB",
            unit=" dB",
        ),
        about(
            found.rising,
            is_above,
            RISING,
            statement="The eigenvectors oscillate the faster the smaller their factors are.",
            expected=f"a rank correlation of number and frequency above {RISING:g}",
        ),
        about(
            found.crowding,
            is_above,
            1,
            statement="The eigenvectors follow the contours of the image.",
            expected="more of their power on the fifth of pixels with the steepest contours than "
            "elsewhere, as a ratio above 1",
        ),
    ]


def remainder(image, vectors):
    """The power of an image, without its mean, outside the span of orthonormal vectors, in dB of all."""
    varying = np.asarray(image, np.float64) - np.mean(image)
    flat = np.asarray(vectors, np.float64).reshape(len(vectors), -1)
    inside = np.sum((flat @ varying.ravel()) ** 2)
    power = np.sum(varying**2)
    return float(10 * np.log10(max(power - inside, 1e-12 * power) / power))


def frequencies(vectors):
    """Root mean square of the derivatives of images (k, H, W, C) with norm 1, per pixel, (k,)."""
    vectors = np.asarray(vectors, np.float64)
    power = sum(np.sum(np.diff(vectors, axis=axis) ** 2, axis=(1, 2, 3)) for axis in (1, 2))
    return np.sqrt(power / np.sum(vectors**2, axis=(1, 2, 3)))


def crowding(image, vectors):
    """Mean power of vectors on the fifth of pixels with the steepest slopes, over that elsewhere."""
    down, across = np.gradient(np.mean(image, axis=-1, dtype=np.float64))
    steepness = np.hypot(down, across)
    steep = steepness > np.quantile(steepness, 0.8)
    density = np.sum(np.square(vectors, dtype=np.float64), axis=(0, -1))
    return float(density[steep].mean() / density[~steep].mean())


def _rising(vectors):
    return float(stats.spearmanr(np.arange(len(vectors)), frequencies(vectors)).statistic)
