"""Bias-free normalization of each image by itself."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .layers import Layer


@keras.saving.register_keras_serializable("keras_gahr")
class ImageNorm(Layer):
    """Divides an image's channels by its own standard deviation and never subtracts a mean.

    The output is `gamma * x / (sd + epsilon)`, with one `gamma` for each channel. `sd` is the biased
    standard deviation (the mean is removed inside it only) of each image, over height and width of each
    channel or over all channels together. It is the same while training and otherwise: there are no
    running values. These are the instance and the layer norm of the lab's later code.

    What it computes does not change when x is multiplied by a number above 0, up to `epsilon`, so that a
    network with it is not homogeneous of degree one. Each output depends on the whole image.

    Deviations are computed in float32 whatever the compute dtype is. Where all values are equal the
    derivative of `sd` is taken for 0, as in PyTorch.

    Args:
        across_channels: whether there is one deviation for all channels, as in a layer norm, or one for
            each, as in an instance norm.
        epsilon: added to the deviation, outside the root.
        gamma_initializer: initial scales.

    Input and output: `(batch, height, width, channels)`.

    Examples:
        >>> import keras, keras_gahr as kg
        >>> layer = kg.denoisers.ImageNorm(across_channels=True)
        >>> layer(keras.ops.ones((2, 8, 8, 3))).shape[1:] == (8, 8, 3)
        True
    """

    def __init__(
        self,
        across_channels: bool = True,
        epsilon: float = 1e-5,
        gamma_initializer: Any = "ones",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.across_channels = across_channels
        self.epsilon = epsilon
        self.gamma_initializer = keras.initializers.get(gamma_initializer)

    def build(self, input_shape: Any) -> None:
        self.gamma = self.add_weight(
            name="gamma",
            shape=(input_shape[-1],),
            initializer=self.gamma_initializer,
            autocast=False,
        )

    def call(self, x: Any) -> Any:
        axes = (1, 2, 3) if self.across_channels else (1, 2)
        wide = ops.cast(x, "float32")
        variance = ops.mean(
            ops.square(wide - ops.mean(wide, axes, keepdims=True)), axes, keepdims=True
        )
        varies = variance > 0
        # The root's derivative at 0 is infinite, and times 0 no number.
        sd = ops.where(varies, ops.sqrt(ops.where(varies, variance, 1.0)), 0.0)
        scale = ops.cast(self.gamma, "float32") / (sd + self.epsilon)
        return x * ops.cast(scale, x.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "across_channels": self.across_channels,
            "epsilon": self.epsilon,
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
        }
