"""Networks as formulas, whose denoisers are known by hand: for tensors of any backend, and in float64."""

import numpy as np
from keras import ops


def wavy(z, told=None):
    """Something nonlinear in an image, and in what is told."""
    shift = 0.0 if told is None else 0.1 * ops.cast(told, "float32")[:, None, None, None]
    return ops.sin(3 * z) + ops.cos(shift) * z


def wavy_exact(z, told=None):
    return np.sin(3 * z) + (1.0 if told is None else np.cos(0.1 * told)) * z


def shrinking(y, sigma):
    """The posterior mean of white noise of variance 1: the same factor for each pixel."""
    return y / (1 + sigma[:, None, None, None] ** 2)


class Mixture:
    """The posterior mean of a mixture of Gaussians of equal weights, as a network that is told sigma.

    Args:
        means: (K, d).
        variance: of each Gaussian, in every direction.
        shape: (height, width, channels) of an image.
    """

    def __init__(self, means, variance, shape):
        self.means, self.variance, self.shape = means, variance, shape

    def __call__(self, y, sigma):
        flat = ops.reshape(y, (-1, self.means.shape[1]))
        means = ops.convert_to_tensor(self.means.astype("float32"))
        power = ops.square(sigma)[:, None]
        total = self.variance + power
        distance = ops.sum(ops.square(flat[:, None] - means), axis=-1)
        share = ops.softmax(-distance / (2 * total), axis=1)
        mean = ops.matmul(share, means)
        denoised = mean + self.variance / total * (flat - mean)
        return ops.reshape(denoised, (-1, *self.shape))

    def exact(self, y, sigma):
        """D(y) and its Jacobian, the posterior's covariance over sigma^2, for one image; float64."""
        flat, power = y.ravel().astype(np.float64), sigma**2
        total = self.variance + power
        logarithms = -np.sum((flat - self.means) ** 2, axis=1) / (2 * total)
        share = np.exp(logarithms - logarithms.max())
        share /= share.sum()
        each = self.means + self.variance / total * (flat - self.means)
        denoised = share @ each
        deviation = each - denoised
        covariance = (
            self.variance * power / total * np.eye(len(flat))
            + (share[:, None] * deviation).T @ deviation
        )
        return denoised.reshape(self.shape), covariance / power
