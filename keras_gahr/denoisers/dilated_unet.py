"""The bias-free network of nine convolutions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from .denoiser import Denoiser, check_network_size, convolution_shapes
from .initialization import HeNormal, checked_seed
from .layers import (
    Concatenate,
    Conv2D,
    Conv2DTranspose,
    Layer,
    ReLU,
    Subtract,
    ZeroPadding2D,
    image_input,
)


@keras.saving.register_keras_serializable("keras_gahr")
class EvenSize(Layer):
    """Appends a row or column of zeros at the bottom or right where a side is odd.

    Input `(batch, height, width, channels)`, output the same with even sides.
    """

    def call(self, x):
        _, height, width, _ = ops.shape(x)
        padded = ops.pad(x, [(0, 0), (0, 1), (0, 1), (0, 0)])
        return padded[:, : height + height % 2, : width + width % 2]

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        even = [side if side is None else side + side % 2 for side in sides]
        return (batch, *even, channels)


@keras.saving.register_keras_serializable("keras_gahr")
class CropLike(Layer):
    """Cuts the first of two images at the bottom and right to the size of the second."""

    def call(self, images):
        x, target = images
        _, height, width, _ = ops.shape(target)
        return x[:, :height, :width]

    def compute_output_shape(self, input_shapes):
        shape, target = input_shapes
        return (*target[:-1], shape[-1])


@keras.saving.register_keras_serializable("keras_gahr")
class DilatedUNet(Denoiser):
    """Bias-free UNet of Mohan et al. (arXiv 1906.05478): one halving of the size, no normalization.

    Two convolutions at full size (5x5, 3x3), four 3x3 convolutions at half size with dilations 1, 1,
    2 and 4, a 4x4 transposed convolution back, and two convolutions (3x3, 5x5) of its output beside
    that of the second; ReLU after each but the last. This chain computes the denoised image, as its
    authors trained it; the residual is the input minus that. Odd sides get one row or column of zeros,
    which is cut off again.

    Args:
        num_channels: channels of the images.
        num_kernels: kernels at full size; there are twice as many at half size. One channel and 32
            kernels give 233,024 parameters.
        seed, provenance, name: see `Denoiser`.

    Examples:
        >>> import keras_gahr as kg
        >>> kg.DilatedUNet(num_channels=3, num_kernels=4).output_shape
        (None, None, None, 3)
    """

    def __init__(
        self,
        num_channels: int = 1,
        num_kernels: int = 32,
        seed: int | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "dilated_unet",
    ) -> None:
        sizes = {"num_channels": num_channels, "num_kernels": num_kernels}
        check_network_size(self.weight_shapes(**sizes), **sizes)
        seed = checked_seed(seed)

        def conv(number, x, filters, kernel_size, layer=Conv2D, **options):
            name = f"conv_{number}"
            return layer(
                filters,
                kernel_size,
                kernel_initializer=HeNormal(seed, name),
                use_bias=False,
                data_format="channels_last",
                name=name,
                **{"padding": "same"} | options,
            )(x)

        def conv_relu(number, *arguments, **options):
            x = conv(number, *arguments, **options)
            return ReLU(name=f"relu_{number}")(x)

        inputs = image_input(num_channels)
        x = EvenSize(name="even")(inputs)
        x = conv_relu(1, x, num_kernels, 5)
        x = skip = conv_relu(2, x, num_kernels, 3)
        # At stride 2 Keras' "same" pads even sides at the bottom and right, this network at the
        # top and left.
        x = ZeroPadding2D(1, data_format="channels_last", name="edge")(x)
        x = conv_relu(3, x, 2 * num_kernels, 3, strides=2, padding="valid")
        x = conv_relu(4, x, 2 * num_kernels, 3)
        x = conv_relu(5, x, 2 * num_kernels, 3, dilation_rate=2)
        x = conv_relu(6, x, 2 * num_kernels, 3, dilation_rate=4)
        x = conv_relu(7, x, 2 * num_kernels, 4, layer=Conv2DTranspose, strides=2)
        x = Concatenate(name="skip")([x, skip])
        x = conv_relu(8, x, num_kernels, 3)
        x = conv(9, x, num_channels, 5)
        denoised = CropLike(name="denoised")([x, inputs])
        outputs = Subtract(name="residual")([inputs, denoised])

        super().__init__(inputs, outputs, seed, provenance, name)
        self.num_channels = num_channels
        self.num_kernels = num_kernels

    @staticmethod
    def weight_shapes(num_channels: int, num_kernels: int) -> Iterable[tuple[int, ...]]:
        """See `Denoiser.weight_shapes`."""
        for kernel, channels_in, channels_out in (
            (5, num_channels, num_kernels),
            (3, num_kernels, num_kernels),
            (3, num_kernels, 2 * num_kernels),
            *[(3, 2 * num_kernels, 2 * num_kernels)] * 3,
            # The transposed one.
            (4, 2 * num_kernels, 2 * num_kernels),
            (3, 3 * num_kernels, num_kernels),
            (5, num_kernels, num_channels),
        ):
            yield from convolution_shapes(kernel, channels_in, channels_out)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_channels": self.num_channels,
            "num_kernels": self.num_kernels,
        }
