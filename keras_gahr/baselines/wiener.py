"""The best linear denoiser: the optimum for Gaussian images."""

from __future__ import annotations

import math
from typing import Any, Self

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import blocks, to_float
from keras_gahr.errors import InputError

from .baseline import Baseline, ResidualLayer, mean_image, stack_of
from .likelihood import LEVELS, most_likely


@keras.saving.register_keras_serializable("keras_gahr")
class Wiener(Baseline):
    """D(y) = m + sum_k lambda_k / (lambda_k + sigma^2) <y - m, e_k> e_k.

    m is the mean and lambda_k, e_k the eigenvalues and eigenvectors of the covariance of a set of
    images; see `from_images`.

    Args:
        mean: (H, W, C).
        eigenvectors: (H W C, K), orthonormal columns; the variance outside their span is 0.
        variances: (K,), the eigenvalues.
        sigma: the noise level; by default the most likely one, from 0.001 to 2, for each noisy image
            y ~ N(m, covariance + sigma^2).
        provenance, name: see `Denoiser`.

    Raises:
        InputError: for shapes that do not fit, or a sigma that is not above 0.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((8, 16, 16))
        >>> denoiser = kg.baselines.Wiener.from_images(images, sigma=0.1)
        >>> kg.denoise(denoiser, images[0]).shape
        (16, 16)
    """

    def __init__(
        self,
        mean: np.ndarray,
        eigenvectors: np.ndarray,
        variances: np.ndarray,
        sigma: float | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "wiener",
    ) -> None:
        if mean.ndim != 3 or eigenvectors.shape != (mean.size, len(variances)):
            raise InputError(
                f"received a mean of shape {mean.shape} and eigenvectors of {eigenvectors.shape}, "
                "expected (height, width, channels) and one column for each variance"
            )
        layer = Shrinkage(mean, eigenvectors, variances, sigma)
        super().__init__(layer, mean.shape, provenance, name)
        self.shape = (*mean.shape, len(variances))

    @classmethod
    def from_images(cls, images: ArrayLike, **options: Any) -> Self:
        """The denoiser of the mean and covariance (divided by N) of a set.

        Args:
            images: (N, H, W, C) or (N, H, W), uint8 or floats in [0, 1], read in blocks;
                takes about 16 min(N, d)^2 bytes and min(N, d)^3 operations, d = H W C.
            **options: arguments of the class.
        """
        mean, vectors, variances = principal_components(stack_of(images))
        return cls(mean, vectors, variances, **options)

    _KINDS = {"shape": (list,)}

    @classmethod
    def _stored_shapes(cls, options):
        *shape, kept = options["shape"]
        if len(shape) != 3:
            raise ValueError("its shape is not (height, width, channels, number of eigenvectors)")
        size = math.prod(shape)
        return [(size,), (size, kept), (kept,)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shape": list(self.shape)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        config = dict(config)
        *shape, kept = config.pop("shape")
        size = int(np.prod(shape))
        return cls(np.zeros(shape), np.zeros((size, kept)), np.zeros(kept), **config)


def principal_components(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean and covariance (divided by N) of images (N, H, W, C), as `Wiener.from_images` takes them.

    Returns:
        The mean (H, W, C), orthonormal eigenvectors (d, K) and their variances (K,).
    """
    count, size = len(images), int(np.prod(images.shape[1:]))
    mean = mean_image(images)
    if count < size:
        # The eigenvectors lie in the span of the images.
        deviations = (to_float(images, None) - mean).reshape(count, size)
        _, singular, rows = np.linalg.svd(deviations, full_matrices=False)
        variances, vectors = singular**2 / count, rows.T
    else:
        covariance = np.zeros((size, size))
        for block in blocks(images):
            deviations = (to_float(block, None) - mean).reshape(len(block), size)
            covariance += deviations.T @ deviations
        variances, vectors = np.linalg.eigh(covariance / count)
    # What is left of a variance of 0 after rounding may be negative.
    return mean, vectors, np.maximum(variances, 0)


class Shrinkage(ResidualLayer):
    def __init__(self, mean, eigenvectors, variances, sigma):
        super().__init__(mean.shape[-1], sigma, "shrinkage")
        self.size = mean.size
        self.mean = self.constant(mean.reshape(-1), "mean")
        self.eigenvectors = self.constant(eigenvectors, "eigenvectors")
        self.variances = self.constant(variances, "variances")

    def call(self, noisy):
        deviation, coefficients = self._coefficients(noisy)
        power = ops.square(self.noise_level(noisy))[:, None]
        kept = coefficients * (self.variances / (self.variances + power))
        denoised = ops.matmul(kept, ops.transpose(self.eigenvectors))
        return ops.reshape(deviation - denoised, ops.shape(noisy))

    def estimate(self, noisy):
        """The maximum of the likelihood."""
        deviation, coefficients = self._coefficients(noisy)
        outside = deviation - ops.matmul(coefficients, ops.transpose(self.eigenvectors))
        powers = ops.convert_to_tensor(LEVELS**2, "float32")
        spread = self.variances[:, None] + powers
        free = self.size - self.variances.shape[0]
        logarithms = ops.sum(ops.log(spread), axis=0) + free * ops.log(powers)
        cost = (
            ops.matmul(ops.square(coefficients), 1 / spread)
            + ops.sum(ops.square(outside), axis=1, keepdims=True) / powers
            + logarithms
        )
        return most_likely(cost)

    def _coefficients(self, noisy):
        """y - m, (batch, d), and <y - m, e_k>, (batch, K)."""
        deviation = ops.reshape(noisy, (-1, self.size)) - ops.convert_to_tensor(self.mean)
        return deviation, ops.matmul(deviation, ops.convert_to_tensor(self.eigenvectors))
