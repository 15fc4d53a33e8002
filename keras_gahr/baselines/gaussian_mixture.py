"""The optimal denoiser of a mixture of Gaussians: the teacher of networks trained on its images."""

from __future__ import annotations

import math
from typing import Any, Self

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import FINITE
from keras_gahr.datasets.gaussians import MixtureOfGaussians
from keras_gahr.datasets.stacks import as_one
from keras_gahr.errors import InputError

from .baseline import LEAST_SIGMA, Baseline, ResidualLayer, check_sigma
from .likelihood import LEVELS, most_likely

_BLOCK_VALUES = 2**22
"""Values of what deviates from the means of some classes, for each of a few images."""


@keras.saving.register_keras_serializable("keras_gahr")
class GaussianMixture(Baseline):
    """D(y) = E[x | y] = sum_k w_k(y) (m_k + C_k (C_k + sigma^2)^-1 (y - m_k)).

    w_k(y) is the probability that y comes from class k of the mixture, whose mean is m_k and whose
    covariance is C_k. One class is the `Wiener` filter, classes without covariance are
    `EmpiricalBayes`.

    Args:
        law: see `keras_gahr.datasets.mixture_law`, and `law_of` for that of a dataset.
        sigma: the noise level; by default the most likely one, from 0.001 to 2, for each noisy image.
        provenance, name: see `Denoiser`.

    Raises:
        InputError: for a sigma that is not above 0.

    Examples:
        >>> import keras_gahr as kg
        >>> law = kg.datasets.mixture_law(**kg.datasets.MOLRG)
        >>> images = kg.datasets.mixture_images(2, seed=0, **kg.datasets.MOLRG)
        >>> teacher = kg.baselines.GaussianMixture(law, sigma=0.1)
        >>> teacher.denoise(images).shape, teacher.log_density(images).shape
        ((2, 4, 4, 3), (2,))
        >>> jacobian = teacher.jacobian(images[0])
        >>> jacobian.shape, round(float(jacobian.trace()))  # Of 7 directions, each shrunk.
        ((48, 48), 5)
    """

    def __init__(
        self,
        law: MixtureOfGaussians,
        sigma: float | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "gaussian_mixture",
    ) -> None:
        if not isinstance(law, MixtureOfGaussians):
            raise InputError(
                f"received a {type(law).__name__}, expected a MixtureOfGaussians: see datasets.mixture_law"
            )
        layer = MixtureMean(law, sigma)
        super().__init__(layer, law.image_shape, provenance, name)
        self.shape = (*law.means.shape, law.bases.shape[2])

    @property
    def law(self) -> MixtureOfGaussians:
        """The mixture, with values as they are stored, in float32."""
        layer = self.residual_layer
        stored = layer.priors, layer.means, layer.bases, layer.variances, layer.floors
        weights, means, *others = (np.asarray(ops.convert_to_numpy(value)) for value in stored)
        return MixtureOfGaussians(weights, means.reshape(self.shape[:4]), *others)

    def log_density(self, noisy: ArrayLike, sigma: float | None = None) -> np.ndarray:
        """log p(y) in nats of the law of noisy images, in float64; its gradient is -r(y) / sigma^2.

        Args:
            noisy: (N, H, W, C), or as `MixtureOfGaussians.log_density` takes them.
            sigma: by default the denoiser's noise level; 0 for that of the images themselves.

        Returns:
            float64 (N,).

        Raises:
            InputError: for images of another shape, without a level, and where there is no density.
        """
        return self.law.log_density(noisy, self._own_level() if sigma is None else sigma)

    def jacobian(self, noisy: ArrayLike, sigma: float | None = None) -> np.ndarray:
        """The derivative of D(y) in y, in closed form and float64.

        Args:
            noisy: one image (H, W, C), or (H, W) of one channel.
            sigma: by default the denoiser's noise level, or the estimated one, which is held fixed.

        Returns:
            (d, d), d = H W C: row i is the derivative of value i of D(y), pixels counted row by row.

        Raises:
            InputError: for an image of another shape, or a level that is not above 0.
        """
        noisy = as_one(noisy, self.shape[3], limits=FINITE)
        if sigma is None:
            sigma = float(ops.convert_to_numpy(self.estimate_sigma(noisy[None]))[0])
        return self.law.jacobian(noisy, check_sigma(sigma))

    def _own_level(self):
        if self.residual_layer.sigma is None:
            raise InputError("this denoiser estimates the noise level: give a sigma")
        return float(ops.convert_to_numpy(self.residual_layer.sigma))

    _KINDS = {"shape": (list,)}

    @classmethod
    def _stored_shapes(cls, options):
        classes, *image, kept = options["shape"]
        if len(image) != 3:
            raise ValueError("its shape is not (classes, height, width, channels, directions)")
        size = math.prod(image)
        return [(classes,), (classes, size), (classes, size, kept), (classes, kept), (classes,)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shape": list(self.shape)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        config = dict(config)
        classes, *image, kept = config.pop("shape")
        empty = MixtureOfGaussians(
            np.ones(classes),
            np.zeros((classes, *image)),
            np.zeros((classes, math.prod(image), kept)),
            np.zeros((classes, kept)),
        )
        return cls(empty, **config)


class MixtureMean(ResidualLayer):
    def __init__(self, law, sigma):
        super().__init__(law.image_shape[-1], sigma, "mixture_mean")
        classes = len(law.weights)
        self.size = math.prod(law.image_shape)
        self.priors = self.constant(law.weights, "priors")
        self.means = self.constant(law.means.reshape(classes, -1), "means")
        self.bases = self.constant(law.bases, "bases")
        self.variances = self.constant(law.variances, "variances")
        self.floors = self.constant(law.floors, "floors")
        self.free = self.size - law.bases.shape[2]
        rows = max(1, _BLOCK_VALUES // self.size)
        self.blocks = [
            slice(first, min(first + rows, classes)) for first in range(0, classes, rows)
        ]

    def call(self, noisy):
        flat = ops.reshape(noisy, (-1, self.size))
        coefficients, outside = self._parts(flat)
        if self.sigma is None:
            sigma = ops.maximum(self._most_likely(coefficients, outside), LEAST_SIGMA)
        else:
            sigma = self.noise_level(noisy)
        power = ops.square(sigma)[:, None]
        along, beyond = self.variances + power[..., None], self.floors + power
        cost = ops.sum(ops.square(coefficients) / along, axis=2) + outside / beyond
        # What all classes have in common is large in many directions, and its rounding would scale the mean.
        volume = ops.sum(ops.log(along), axis=2) + self.free * ops.log(beyond)
        volume = volume - ops.min(volume, axis=1, keepdims=True)
        logits = ops.log(self.priors) - (cost + volume) / 2
        logits = logits - ops.max(logits, axis=1, keepdims=True)
        weights = ops.exp(logits)
        weights = weights / ops.sum(weights, axis=1, keepdims=True)
        # The mean of class k is (1 - f) m_k + f y + V_k (g - f) V_k^T (y - m_k).
        kept = self.floors / beyond
        gain = weights[..., None] * (self.variances / along - kept[..., None]) * coefficients
        mean = ops.matmul(weights * (1 - kept), ops.convert_to_tensor(self.means))
        mean = mean + ops.sum(weights * kept, axis=1, keepdims=True) * flat
        for block in self.blocks:
            mean = mean + ops.einsum("nkr,kdr->nd", gain[:, block], self.bases[block])
        return noisy - ops.reshape(mean, ops.shape(noisy))

    def estimate(self, noisy):
        return self._most_likely(*self._parts(ops.reshape(noisy, (-1, self.size))))

    def _parts(self, flat):
        """Coefficients of y - m_k along the directions, (batch, K, R), and the square of the rest."""
        coefficients, outside = [], []
        for block in self.blocks:
            bases = ops.convert_to_tensor(self.bases[block])
            deviation = flat[:, None] - self.means[block]
            coefficients.append(ops.einsum("nkd,kdr->nkr", deviation, bases))
            # Of the difference of the squares no digits would be left at little noise.
            rest = deviation - ops.einsum("nkr,kdr->nkd", coefficients[-1], bases)
            outside.append(ops.sum(ops.square(rest), axis=2))
        return ops.concatenate(coefficients, axis=1), ops.concatenate(outside, axis=1)

    def _most_likely(self, coefficients, outside):
        powers = ops.convert_to_tensor(LEVELS**2, "float32")
        along, beyond = self.variances[..., None] + powers, self.floors[:, None] + powers
        cost = ops.einsum("nkr,krl->nkl", ops.square(coefficients), 1 / along)
        cost = cost + outside[..., None] / beyond
        cost = cost + ops.sum(ops.log(along), axis=1) + self.free * ops.log(beyond)
        logits = ops.log(self.priors)[:, None] - cost / 2
        return most_likely(-2 * ops.logsumexp(logits, axis=1))
