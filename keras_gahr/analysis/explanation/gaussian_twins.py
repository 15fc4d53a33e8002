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
    with kappa for sigma^2; see `renormalized_variance`. Both are known from the very images that the twins
    were trained on, of which one twin has a bit more than m and G as the other one has less. So products are
    taken with the mean m_A and the Wiener filter G_A of the images of A alone, and those of B: for Gaussian
    twins `rest` and `beyond` are 0, however few images there are. With few images in all the covariance of
    the law is not known, and kappa is too small.

    Attributes:
        agreement: float64 (S, N): `shared` over |D_A - m| |D_B - m| / d, the correlation of the two over the
            pixels of each image.
        shared: float64 (S, N): <D_A - m_A, D_B - m_B> / d.
        rest: float64 (S, N): <D_A - G_A, D_B - G_B> / d, what is left of it without Gaussian reasons.
        beyond: float64 (S, N): `rest` over |D_A - G| |D_B - G| / d, between -1 and 1: what the twins agree on
            beyond what Gaussian ones would.
    """

    agreement: np.ndarray
    shared: np.ndarray
    rest: np.ndarray
    beyond: np.ndarray

    @property
    def gaussian(self) -> np.ndarray:
        """The Gaussian share of what they agree on, 1 - sum rest / sum shared over images, (S,).

        NaN where they agree on nothing, as two Wiener filters of one image each, which are these images.
        """
        shared = self.shared.sum(axis=1)
        return 1 - self.rest.sum(axis=1) / np.where(shared == 0, np.nan, shared)

    @property
    def gaussian_interval(self) -> np.ndarray:
        """Its 95% intervals, (S, 2): those of a ratio of means, to first order."""
        shares, shared = 1 - self.gaussian, self.shared.mean(axis=1, keepdims=True)
        errors = (self.rest - shares[:, None] * self.shared) / np.where(shared == 0, np.nan, shared)
        return np.array(
            [
                [1 - share - high, 1 - share - low]
                for share, (low, high) in zip(shares, map(mean_interval, errors), strict=True)
            ]
        )


class GaussianTwins:
    """Measures a `TwinAgreement`, one noise level after the other.

    Args:
        sets: the training images of each of the two, as many, (N, H, W, C).
        batch_size: images computed at once.
    """

    def __init__(self, sets, batch_size):
        *own, common = (
            Wiener.from_images(images, sigma=1.0) for images in (*sets, np.concatenate(sets))
        )
        self._variances = np.array(common.residual_layer.variances)
        self._count = len(sets[0])
        self._own = [_Gaussian(each, batch_size) for each in own]
        self._common = _Gaussian(common, batch_size)

    def measure(self, noisy, denoised, twin, sigma):
        """The four numbers of a `TwinAgreement` for each image, (4, N)."""
        pair = denoised, twin
        kappa = renormalized_variance(self._variances, sigma, self._count)
        common = self._common.denoise(noisy, math.sqrt(kappa))
        filtered = [each.denoise(noisy, sigma) for each in self._own]
        shared = _products(*(_apart(d, own.mean) for d, own in zip(pair, self._own, strict=True)))
        rest = _products(*(_apart(d, own) for d, own in zip(pair, filtered, strict=True)))
        return np.stack(
            [
                _part(shared, *(_apart(d, self._common.mean) for d in pair)),
                shared,
                rest,
                _part(rest, *(_apart(d, common) for d in pair)),
            ]
        )


class _Gaussian:
    """A Wiener filter and its mean image."""

    def __init__(self, wiener, batch_size):
        self.mean = np.array(wiener.residual_layer.mean).reshape(wiener.shape[:3])
        self.denoise = Rival(wiener, batch_size).denoise


def _apart(images, others):
    return (images - others).reshape(len(images), -1).astype(np.float64)


def _products(a, b):
    return (a * b).mean(axis=1)


def _part(products, a, b):
    """Products over the lengths of both, cut off at -1 and 1; 0 where there is no length."""
    lengths = np.sqrt(_products(a, a) * _products(b, b))
    found = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return found.clip(-1, 1)
