"""The optimal denoiser of one who looks, for each pixel, only at those that the linear optimum looks at."""

from __future__ import annotations

import math
import numbers
from typing import Any, Self

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr.errors import InputError

from .baseline import Baseline, stack_of
from .posterior_means import PosteriorMeans, means_of_images
from .wiener import principal_components

THRESHOLD = 0.02


@keras.saving.register_keras_serializable("keras_gahr")
class MaskedBayes(Baseline):
    """D_p(y) = sum_i w_i x_i[p], where w depends on the pixels alone that matter to a linear denoiser.

    w = softmax(-sum_q M_pq (y_q - x_i,q)^2 / (2 sigma^2)), where M_pq is 1 where the Wiener filter
    W = C (C + sigma^2)^-1 of the training images has |W_pq| / max_r |W_pr| > `threshold`, else 0 (Lukoianov
    et al., arXiv 2509.09672). The paper divides rows of W by their diagonal, which is their largest entry but
    for pixels that vary less than their neighbours, and its code takes the mask's columns for its rows.

    Colours are pixels of their own here. It takes 4 d^2 bytes, d = H W C: 164 MB for 80x80 grey pixels.

    Args:
        images: the training images (N, H, W, C) or (N, H, W), uint8 or floats in [0, 1].
        sigma: the noise level; by default that of each noisy image, as for `LocalBayes`.
        threshold: the least part of its row's largest entry that counts, at least 0 and below 1.
        components: None for the eigenvectors (d, K) and variances (K,) of the covariance of the images.
        provenance, name: see `Denoiser`.

    Raises:
        InputError: for a threshold out of range, or a sigma that is not above 0.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((8, 6, 6))
        >>> denoiser = kg.baselines.MaskedBayes(images, sigma=0.1)
        >>> denoiser.mask(0.1).shape
        (36, 36)
    """

    streams = True

    def __init__(
        self,
        images: ArrayLike,
        sigma: float | None = None,
        threshold: float = THRESHOLD,
        components: tuple[np.ndarray, np.ndarray] | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "masked_bayes",
    ) -> None:
        if not isinstance(threshold, numbers.Real) or not 0 <= threshold < 1:
            raise InputError(
                f"received threshold = {threshold!r:.40}, expected one from 0 to below 1"
            )
        images = stack_of(images)
        vectors, variances = components or principal_components(images)[1:]
        layer = MaskedMeans(images, vectors, variances, float(threshold), sigma)
        super().__init__(layer, images.shape[1:], provenance, name)
        self.shape = images.shape
        self.images_dtype = "uint8" if images.dtype == np.uint8 else "float32"
        self.kept, self.threshold = len(variances), float(threshold)

    def mask(self, sigma: float) -> np.ndarray:
        """M at a noise level: bool (d, d), a row for each pixel, of those that it is judged by."""
        level = ops.convert_to_tensor(np.float32(self.check_sigma(sigma)))
        return ops.convert_to_numpy(self.residual_layer.mask(level)) > 0

    _KINDS = {"shape": (list,), "dtype": (str,), "kept": (int,), "threshold": (float,)}

    @classmethod
    def _stored_shapes(cls, options):
        count, *image = options["shape"]
        if len(image) != 3 or options["dtype"] not in {"uint8", "float32"}:
            raise ValueError("its images are no array (count, height, width, channels)")
        kept, size = options["kept"], math.prod(image)
        if not 0 < kept <= size or not 0 <= options["threshold"] < 1:
            raise ValueError("it has no such number of eigenvectors, or no such threshold")
        return [(count, *image), (size, kept), (kept,)]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shape": list(self.shape),
            "dtype": self.images_dtype,
            "kept": self.kept,
            "threshold": self.threshold,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        config = dict(config)
        shape, kept = config.pop("shape"), config.pop("kept")
        components = np.zeros((math.prod(shape[1:]), kept)), np.zeros(kept)
        return cls(np.zeros(shape, config.pop("dtype")), components=components, **config)


class MaskedMeans(PosteriorMeans):
    def __init__(self, images, vectors, variances, threshold, sigma):
        super().__init__(images, sigma, "masked_means")
        self.vectors = self.constant(vectors, "vectors")
        self.variances = self.constant(variances, "variances")
        self.threshold = threshold

    def denoise(self, noisy, sigma):
        return self.one_by_one(self._of_level, noisy, sigma)

    def _of_level(self, noisy, sigma):
        judges = ops.transpose(self.mask(sigma))

        def add_up(squares):
            flat = ops.reshape(squares, (*squares.shape[:2], judges.shape[0]))
            return ops.reshape(ops.matmul(flat, judges), squares.shape)

        return means_of_images(self, noisy, sigma, add_up)

    def mask(self, sigma):
        """M, 1 or 0, (d, d) float32."""
        gains = self.variances / (self.variances + ops.square(sigma))
        weights = ops.abs(ops.matmul(self.vectors * gains, ops.transpose(self.vectors)))
        largest = ops.max(weights, axis=1, keepdims=True)
        return ops.stop_gradient(ops.cast(weights > self.threshold * largest, "float32"))
