"""The optimal denoiser of a finite training set: the perfect memorizer."""

from __future__ import annotations

import math
from typing import Any, Self

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import blocks, to_float

from .baseline import LEAST_SIGMA, Baseline, ResidualLayer, mean_image, stack_of

_BLOCK_VALUES = 2**24
"""Pixel values of training images that are float32 at once (64 MiB)."""

_NEAREST = 32
"""Nearest training images whose distances are taken from differences instead of products."""

_STEPS = 20
"""Of the estimate of the noise level."""


@keras.saving.register_keras_serializable("keras_gahr")
class EmpiricalBayes(Baseline):
    """D(y) = sum_i w_i x_i over the training images, w = softmax(-|y - x_i|^2 / (2 sigma^2)).

    That is the posterior mean if every training image is equally likely and no other is possible.
    All of the images take part. For 100,000 images of 80 x 80 the weights are 640 MB of uint8.

    Args:
        images: (N, H, W, C) or (N, H, W), uint8 or floats in [0, 1].
        sigma: the noise level; by default the most likely one for each noisy image, found by
            expectation maximization from min_i |y - x_i| / sqrt(d).
        provenance, name: see `Denoiser`.

    Raises:
        InputError: for an array of another shape, or a sigma that is not above 0.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((8, 16, 16))
        >>> denoiser = kg.baselines.EmpiricalBayes(images, sigma=0.1)
        >>> np.allclose(kg.denoise(denoiser, images[0] + 0.01), images[0], atol=1e-3)
        True
    """

    def __init__(
        self,
        images: ArrayLike,
        sigma: float | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "empirical_bayes",
    ) -> None:
        images = stack_of(images)
        layer = PosteriorMean(images, sigma)
        super().__init__(layer, images.shape[1:], provenance, name)
        self.shape = images.shape
        self.images_dtype = "uint8" if images.dtype == np.uint8 else "float32"

    _KINDS = {"shape": (list,), "dtype": (str,)}

    @classmethod
    def _stored_shapes(cls, options):
        count, *image = options["shape"]
        if len(image) != 3 or options["dtype"] not in {"uint8", "float32"}:
            raise ValueError("its images are no array (count, height, width, channels)")
        size = math.prod(image)
        return [(count, size), (size,), (count,)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shape": list(self.shape), "dtype": self.images_dtype}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        config = dict(config)
        return cls(np.zeros(config.pop("shape"), config.pop("dtype")), **config)


class PosteriorMean(ResidualLayer):
    def __init__(self, images, sigma):
        super().__init__(images.shape[-1], sigma, "posterior_mean")
        values = images if images.dtype == np.uint8 else to_float(images, None)
        count, size = len(images), int(np.prod(images.shape[1:]))
        centre = mean_image(images)
        power = [
            np.square(to_float(block, None) - centre).sum(axis=(1, 2, 3))
            for block in blocks(images)
        ]
        self.images = self.constant(values.reshape(count, size), "images")
        # Products of what deviates from the mean image lose fewer digits.
        self.centre = self.constant(centre.reshape(size), "centre")
        self.power = self.constant(np.concatenate(power), "power")
        rows = max(1, _BLOCK_VALUES // size)
        self.blocks = [slice(first, min(first + rows, count)) for first in range(0, count, rows)]
        self.size = size

    def call(self, noisy):
        flat = ops.reshape(noisy, (-1, self.size))
        squares = self._squares(flat)
        weights = self._weights(squares, self._level(noisy, squares))
        mean = sum(
            ops.matmul(weights[:, block], self._as_float(self.images[block]))
            for block in self.blocks
        )
        return noisy - ops.reshape(mean, ops.shape(noisy))

    def estimate(self, noisy):
        return self._most_likely(self._squares(ops.reshape(noisy, (-1, self.size))))

    def _level(self, noisy, squares):
        if self.sigma is not None:
            return self.noise_level(noisy)
        return ops.maximum(self._most_likely(squares), LEAST_SIGMA)

    def _squares(self, flat):
        """|y - x_i|^2, (batch, N)."""
        deviation = flat - ops.convert_to_tensor(self.centre)
        products = ops.concatenate(
            [
                ops.matmul(
                    deviation, ops.transpose(self._as_float(self.images[block]) - self.centre)
                )
                for block in self.blocks
            ],
            axis=1,
        )
        own = ops.sum(ops.square(deviation), axis=1, keepdims=True)
        squares = ops.maximum(own + self.power - 2 * products, 0)
        # What is small compared with the products has lost its digits, and matters most.
        count = min(_NEAREST, squares.shape[1])
        _, nearest = ops.top_k(-squares, count)
        images = self._as_float(ops.take(ops.convert_to_tensor(self.images), nearest, axis=0))
        exact = ops.sum(ops.square(flat[:, None, :] - images), axis=2)
        nearest = ops.cast(nearest, "int32")
        row = ops.zeros_like(nearest) + ops.arange(ops.shape(flat)[0], dtype="int32")[:, None]
        places = ops.stack([ops.reshape(row, (-1,)), ops.reshape(nearest, (-1,))], axis=1)
        return ops.scatter_update(squares, places, ops.reshape(exact, (-1,)))

    def _most_likely(self, squares):
        """sigma^2 <- sum_i w_i |y - x_i|^2 / d, from the smallest of them."""
        variance = ops.min(squares, axis=1) / self.size
        for _ in range(_STEPS):
            sigma = ops.sqrt(ops.maximum(variance, LEAST_SIGMA**2))
            variance = ops.sum(self._weights(squares, sigma) * squares, axis=1) / self.size
        return ops.sqrt(ops.maximum(variance, LEAST_SIGMA**2))

    @staticmethod
    def _weights(squares, sigma):
        """The posterior of the training images, (batch, N)."""
        excess = squares - ops.min(squares, axis=1, keepdims=True)
        if excess.shape[1] == 1:
            # Keras warns of the softmax of a single number.
            return ops.ones_like(excess)
        return ops.softmax(-excess / (2 * ops.square(sigma)[:, None]), axis=1)

    @staticmethod
    def _as_float(images):
        images = ops.convert_to_tensor(images)
        scale = 255 if keras.backend.standardize_dtype(images.dtype) == "uint8" else 1
        return ops.cast(images, "float32") / scale
