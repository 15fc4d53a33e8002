"""The best choice of coefficients in a fixed basis, by one who knows the clean image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NEARLY_CLEAN
from keras_gahr.datasets.stacks import as_one
from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole

from .baseline import Baseline, ResidualLayer
from .bases import separable_basis

RULES = ("threshold", "shrinkage")


@keras.saving.register_keras_serializable("keras_gahr")
class OracleThresholding(Baseline):
    """D(y) = sum_k g_k <y, e_k> e_k with gains from the coefficients c_k = <x, e_k> of the clean x.

    "threshold": g_k = 1 if |c_k| > sigma, else 0, the best projection. "shrinkage": g_k = c_k^2 /
    (c_k^2 + sigma^2), the best gains.

    Args:
        image_shape: `(height, width, channels)`.
        basis: "dct" or a wavelet; see `bases.separable_basis`.
        rule: one of `RULES`.
        clean: the clean image `(height, width, channels)`, the same for all noisy ones. By default it
            is part of the input, `(batch, height, width, 2 channels)`: first the clean image, then
            the noisy one, as for conditional denoisers.
        sigma: the noise level; by default |y - x| / sqrt(d), as an oracle knows it.
        provenance, name: see `Denoiser`.

    Raises:
        InputError: for an unknown basis or rule, a clean image of another shape, or a sigma that is
            not above 0.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> clean = np.full((8, 8, 1), 0.5)
        >>> oracle = kg.baselines.OracleThresholding(clean.shape, "dct", clean=clean, sigma=0.1)
        >>> kg.denoise(oracle, clean + 0.1).shape
        (8, 8, 1)
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        basis: str = "dct",
        rule: str = "threshold",
        clean: ArrayLike | None = None,
        sigma: float | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "oracle_thresholding",
    ) -> None:
        if isinstance(image_shape, str) or len(image_shape := tuple(image_shape)) != 3:
            raise InputError(
                f"received an image shape {image_shape!r:.80}, expected (height, width, channels)"
            )
        image_shape = tuple(check_whole(side, "a side or channels", 1) for side in image_shape)
        if rule not in RULES:
            raise InputError(f"received rule {rule!r}, expected {' or '.join(RULES)}")
        if clean is not None:
            clean = as_one(clean, image_shape[-1], NEARLY_CLEAN)
            if clean.shape != image_shape:
                raise InputError(
                    f"received a clean image of shape {clean.shape}, expected {image_shape}"
                )
        height, width, channels = image_shape
        layer = Gains(channels, separable_basis(basis, height, width), rule, clean, sigma)
        given = channels if clean is not None else 2 * channels
        super().__init__(layer, (height, width, given), provenance, name)
        self.image_shape, self.basis, self.rule = image_shape, basis, rule

    _KINDS = {"image_shape": (list,), "basis": (str,), "rule": (str,), "clean": (bool,)}

    @classmethod
    def _stored_shapes(cls, options):
        shape = options["image_shape"]
        if len(shape) != 3:
            raise ValueError("its image_shape is not (height, width, channels)")
        return [tuple(shape)] if options["clean"] else []

    def get_config(self) -> dict[str, Any]:
        known = self.residual_layer.clean is not None
        return {
            **super().get_config(),
            "image_shape": list(self.image_shape),
            "basis": self.basis,
            "rule": self.rule,
            # The image itself is among the weights.
            "clean": known,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        config = dict(config)
        clean = np.zeros(config["image_shape"]) if config.pop("clean") else None
        return cls(clean=clean, **config)


class Gains(ResidualLayer):
    def __init__(self, channels, basis, rule, clean, sigma):
        super().__init__(channels, sigma, "gains")
        self.basis = basis
        self.rule = rule
        self.clean = None if clean is None else self.constant(clean, "clean")

    def call(self, inputs):
        clean, noisy = self._split(inputs)
        power = ops.square(self.noise_level(inputs))[:, None, None, None]
        known = ops.square(self.basis.analysis(clean))
        threshold = self.rule == "threshold"
        lost = ops.cast(known <= power, "float32") if threshold else power / (known + power)
        return self.basis.synthesis(lost * self.basis.analysis(noisy))

    def estimate(self, inputs):
        clean, noisy = self._split(inputs)
        return ops.sqrt(ops.mean(ops.square(noisy - clean), axis=(1, 2, 3)))

    def _split(self, inputs):
        """Clean and noisy images."""
        if self.clean is not None:
            return ops.convert_to_tensor(self.clean)[None], inputs
        channels = self.output_channels
        return inputs[..., :channels], inputs[..., channels:]
