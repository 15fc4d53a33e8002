"""What denoisers of disjoint training sets agree on for Gaussian reasons (Wang et al., arXiv 2602.02908)."""

import dataclasses
import math

import numpy as np
from scipy.optimize import brentq

from keras_gahr.baselines import Wiener

from ..intervals import mean_interval
from .rivals import Rival


def renormalized_variance(variances, sigma, count):
    """kappa, which stands for sigma^2 in what the Wiener filters of some images are on average.

    kappa - sigma^2 = kappa tr[S (S + kappa)^-1] / n, of which the largest solution is taken.

    Args:
        variances: the eigenvalues of S, the covariance of the law, at least 0.
        sigma: the noise level, above 0.
        count: n, the training images.

    Returns:
        kappa, at least sigma^2.
    """
    variances, power = np.asarray(variances, np.float64), float(sigma) ** 2

    def excess(logarithm):
        kappa = math.exp(logarithm)
        return kappa * (1 - (variances / (variances + kappa)).sum() / count) - power

    # It is convex in kappa, at most 0 at the lower end and at least 0 at the upper one.
    high = math.log(power + variances.sum() / count)
    low = math.log(power)
    return power if excess(low) >= 0 else math.exp(brentq(excess, low, high, xtol=1e-12))


@dataclasses.dataclass(frozen=True, eq=False)
class TwinAgreement:
    """What two denoisers of disjoint training sets agree on, at S noise levels.

    m is the mean image, and G(y) what two Wiener filters of as many images have in common: that of all images
    with kappa for sigma^2; see `renormalized_variance`. With few images in all the covariance of the law is
    not known, and kappa is too small.

    Attributes:
        agreement: float64 (S, N): correlation of D_A(y) - m and D_B(y) - m over the pixels of each image.
        shared: float64 (S, N): <D_A - m, D_B - m> / d.
        rest: float64 (S, N): <D_A - G, D_B - G> / d, what is left of it without G.
        beyond: float64 (S, N): correlation of D_A(y) - G(y) and D_B(y) - G(y): what the twins agree on beyond
            what Gaussian ones would.
    """

    agreement: np.ndarray
    shared: np.ndarray
    rest: np.ndarray
    beyond: np.ndarray

    @property
    def gaussian(self) -> np.ndarray:
        """The Gaussian share of what they agree on, 1 - sum rest / sum shared over images, (S,)."""
        return 1 - self.rest.sum(axis=1) / self.shared.sum(axis=1)

    @property
    def gaussian_interval(self) -> np.ndarray:
        """Its 95% intervals, (S, 2): those of a ratio of means, to first order."""
        shares = self.rest.sum(axis=1) / self.shared.sum(axis=1)
        errors = (self.rest - shares[:, None] * self.shared) / self.shared.mean(
            axis=1, keepdims=True
        )
        return np.array(
            [
                [1 - share - high, 1 - share - low]
                for share, (low, high) in zip(shares, map(mean_interval, errors), strict=True)
            ]
        )


class GaussianTwins:
    """Measures a `TwinAgreement`, one noise level after the other.

    Args:
        images: of both training sets, (N, H, W, C).
        count: training images of each of the two, n.
        batch_size: images computed at once.
    """

    def __init__(self, images, count, batch_size):
        filters = Wiener.from_images(images, sigma=1.0)
        self._variances = np.array(filters.residual_layer.variances)
        self._mean = np.array(filters.residual_layer.mean).reshape(filters.shape[:3])
        self._count = count
        self._wiener = Rival(filters, batch_size)

    def measure(self, noisy, denoised, twin, sigma):
        """The four numbers of a `TwinAgreement` for each image, (4, N)."""
        kappa = renormalized_variance(self._variances, sigma, self._count)
        common = self._wiener.denoise(noisy, math.sqrt(kappa))
        whole, rest = (
            [(each - start).reshape(len(each), -1).astype(np.float64) for each in (denoised, twin)]
            for start in (self._mean, common)
        )
        return np.stack(
            [_correlation(*whole), _products(*whole), _products(*rest), _correlation(*rest)]
        )


def _products(a, b):
    return (a * b).mean(axis=1)


def _correlation(a, b):
    return _products(a, b) / np.sqrt(_products(a, a) * _products(b, b))
