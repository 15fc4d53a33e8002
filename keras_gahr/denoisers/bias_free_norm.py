"""Bias-free normalization: a scale for each channel and no shift."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_gahr._backend import convolution, parallel

from .layers import Layer


@keras.saving.register_keras_serializable("keras_gahr")
class BiasFreeNorm(Layer):
    """Divides each channel by a standard deviation and never subtracts a mean.

    With `sd` the channel's standard deviation, the output is `gamma * x / sd`. While training,
    `sd = sqrt(var(x) + epsilon)` with the biased variance over batch, height and width (the mean is
    removed inside the variance only), and the running value, an average of *standard deviations*,
    becomes `momentum * running_sd + (1 - momentum) * sd`. Otherwise `sd = running_sd`, with no
    epsilon, so that the layer is linear. This is `BF_batchNorm` of the published code.

    Statistics are computed in float32 whatever the compute dtype is, and over the whole batch where
    several devices share it (see `keras_gahr.training.devices`), on every backend: the running values
    are those of one device.

    Args:
        momentum: weight of the old value in the running average.
        epsilon: added to the variance while training.
        gamma_initializer: initial scales.

    Input and output: `(batch, height, width, channels)`.

    Examples:
        >>> import keras, keras_gahr as kg
        >>> layer = kg.BiasFreeNorm()
        >>> layer(keras.ops.ones((2, 8, 8, 3))).shape[1:] == (8, 8, 3)
        True
    """

    def __init__(
        self,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        gamma_initializer: Any = "ones",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum
        self.epsilon = epsilon
        self.gamma_initializer = keras.initializers.get(gamma_initializer)

    def build(self, input_shape: Any) -> None:
        channels = (input_shape[-1],)
        # Without casts to the compute dtype, in which a running average would stand still.
        self.gamma = self.add_weight(
            name="gamma", shape=channels, initializer=self.gamma_initializer, autocast=False
        )
        self.running_sd = self.add_weight(
            name="running_sd",
            shape=channels,
            initializer="ones",
            trainable=False,
            dtype="float32",
            autocast=False,
        )

    def call(self, x: Any, training: bool | None = False) -> Any:
        if not training:
            return self._scaled(x, ops.convert_to_tensor(self.running_sd))
        if parallel.replica()[1] > 1:
            sd = ops.sqrt(_variance_over_replicas(ops.cast(x, "float32")) + self.epsilon)
            normalized = self._scaled(x, sd)
        else:
            gamma = ops.cast(self.gamma, "float32")
            normalized, sd = convolution.normalize(x, gamma, self.epsilon)
        self.running_sd.assign(
            self.momentum * self.running_sd + (1 - self.momentum) * ops.stop_gradient(sd)
        )
        return normalized

    def _scaled(self, x, sd):
        scale = ops.cast(self.gamma, "float32") / sd
        return x * ops.cast(scale, x.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
        }


def _variance_over_replicas(x):
    """The variance of each channel over the batch, of which all replicas have equal shares."""
    mean, variance = ops.moments(x, axes=(0, 1, 2))
    deviation = mean - parallel.mean_over_replicas(mean)
    return parallel.mean_over_replicas(variance + ops.square(deviation))
