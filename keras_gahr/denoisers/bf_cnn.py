"""The bias-free convolutional network BF-CNN."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from .bias_free_norm import BiasFreeNorm
from .denoiser import Denoiser, check_network_size, convolution_shapes
from .initialization import HeNormal, SmallGamma, checked_seed
from .layers import Conv2D, ReLU, image_input


def bias_free_chain(x, kernel_sizes, num_kernels, output_channels, first_layer_linear, seed):
    """Convolutions with `BiasFreeNorm` and ReLU between them, as symbolic tensors.

    The first layer has no norm, and no ReLU if it is linear; the last has neither.

    Args:
        x: input of the chain.
        kernel_sizes: the side of each convolution.
        num_kernels: kernels of each convolution but the last.
        output_channels: kernels of the last.
        first_layer_linear: no ReLU after the first convolution.
        seed: of the initial weights.
    """
    last = len(kernel_sizes) - 1
    for i, kernel_size in enumerate(kernel_sizes):
        x = Conv2D(
            output_channels if i == last else num_kernels,
            kernel_size,
            padding="same",
            use_bias=False,
            data_format="channels_last",
            kernel_initializer=HeNormal(seed, f"conv_{i}"),
            name=f"conv_{i}",
        )(x)
        if 0 < i < last:
            gamma = SmallGamma(seed, f"norm_{i}")
            x = BiasFreeNorm(gamma_initializer=gamma, name=f"norm_{i}")(x)
        if 0 < i < last or (i == 0 and not first_layer_linear):
            x = ReLU(name=f"relu_{i}")(x)
    return x


def chain_shapes(kernel_sizes, num_kernels, input_channels, output_channels):
    """The shapes of the arrays of a `bias_free_chain`; see `Denoiser.weight_shapes`."""
    channels, last = input_channels, len(kernel_sizes) - 1
    for i, kernel_size in enumerate(kernel_sizes):
        kernels = output_channels if i == last else num_kernels
        yield from convolution_shapes(kernel_size, channels, kernels, norm=0 < i < last)
        channels = kernels


@keras.saving.register_keras_serializable("keras_gahr")
class BFCNN(Denoiser):
    """Bias-free DnCNN: 3x3 convolutions with `BiasFreeNorm` and ReLU between them.

    Whether a ReLU follows the first convolution leaves no trace in the weights: the published trainer
    builds 21 layers with it, the published loader 20 layers without.

    Args:
        num_channels: channels of the images.
        num_layers: convolutions. One channel and 64 kernels give 665,856 parameters for 20 layers and
            702,784 for 21.
        num_kernels: kernels of each convolution but the last.
        first_layer_linear: no ReLU after the first convolution.
        seed, provenance, name: see `Denoiser`.

    Examples:
        >>> import keras_gahr as kg
        >>> kg.BFCNN(num_channels=1, num_layers=4, num_kernels=8).num_parameters
        1312
    """

    def __init__(
        self,
        num_channels: int = 1,
        num_layers: int = 21,
        num_kernels: int = 64,
        first_layer_linear: bool = True,
        seed: int | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "bf_cnn",
    ) -> None:
        sizes = {
            "num_channels": num_channels,
            "num_layers": num_layers,
            "num_kernels": num_kernels,
        }
        check_network_size(self.weight_shapes(**sizes), **sizes)
        seed = checked_seed(seed)
        inputs = image_input(num_channels)
        outputs = bias_free_chain(
            inputs, [3] * num_layers, num_kernels, num_channels, first_layer_linear, seed
        )
        super().__init__(inputs, outputs, seed, provenance, name)
        self.num_channels = num_channels
        self.num_layers = num_layers
        self.num_kernels = num_kernels
        self.first_layer_linear = first_layer_linear

    @staticmethod
    def weight_shapes(
        num_channels: int, num_layers: int, num_kernels: int
    ) -> Iterable[tuple[int, ...]]:
        """See `Denoiser.weight_shapes`."""
        # Of more than a thousand layers, what is refused: a list of all would take up memory.
        layers = min(num_layers, 2000)
        yield from chain_shapes([3] * layers, num_kernels, num_channels, num_channels)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_channels": self.num_channels,
            "num_layers": self.num_layers,
            "num_kernels": self.num_kernels,
            "first_layer_linear": self.first_layer_linear,
        }
