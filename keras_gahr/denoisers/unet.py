"""The bias-free UNet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from .bias_free_norm import BiasFreeNorm
from .denoiser import Denoiser, check_network_size, convolution_shapes
from .initialization import HeNormal, SmallGamma, checked_seed
from .layers import AveragePooling2D, Concatenate, Conv2D, Conv2DTranspose, ReLU, image_input


@keras.saving.register_keras_serializable("keras_gahr")
class UNet(Denoiser):
    """Bias-free UNet of the paper (appendix A.1).

    Encoder block b has 3x3 convolutions with `num_kernels * 2**b` kernels; its output is kept for the
    decoder and averaged over 2x2 pixels. The middle block has `num_kernels * 2**num_blocks` kernels.
    Decoder block b doubles the size with a transposed convolution, appends the encoder's output and
    convolves again. Each convolution is followed by `BiasFreeNorm` and ReLU, but the first has no norm
    and the last has neither. Height and width must divide by `2**num_blocks`.

    Args:
        num_channels: channels of the images, 1 (grey) or 3 (colour).
        num_blocks: encoder blocks B. With 64 kernels and one channel, B = 1, 2, 3, 4 give 366,080,
            1,825,024, 7,659,264 and 30,993,152 parameters.
        num_kernels: kernels of the first block.
        num_enc_conv, num_mid_conv, num_dec_conv: convolutions in a block of each part.
        seed, provenance, name: see `Denoiser`.

    Examples:
        >>> import keras_gahr as kg
        >>> kg.UNet(num_channels=1, num_blocks=2, num_kernels=4).size_multiple
        4
    """

    def __init__(
        self,
        num_channels: int = 1,
        num_blocks: int = 3,
        num_kernels: int = 64,
        num_enc_conv: int = 2,
        num_mid_conv: int = 2,
        num_dec_conv: int = 2,
        seed: int | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "unet",
    ) -> None:
        sizes = {
            "num_channels": num_channels,
            "num_blocks": num_blocks,
            "num_kernels": num_kernels,
            "num_enc_conv": num_enc_conv,
            "num_mid_conv": num_mid_conv,
            "num_dec_conv": num_dec_conv,
        }
        check_network_size(self.weight_shapes(**sizes), **sizes)
        seed = checked_seed(seed)

        def conv(x, filters, layer):
            return Conv2D(
                filters,
                3,
                padding="same",
                use_bias=False,
                data_format="channels_last",
                kernel_initializer=HeNormal(seed, layer),
                name=layer,
            )(x)

        def upsample(x, filters, layer):
            return Conv2DTranspose(
                filters,
                2,
                strides=2,
                use_bias=False,
                data_format="channels_last",
                kernel_initializer=HeNormal(seed, layer),
                name=layer,
            )(x)

        def conv_norm_relu(x, filters, part, index, norm=True):
            x = conv(x, filters, f"{part}_conv_{index}")
            if norm:
                layer = f"{part}_norm_{index}"
                x = BiasFreeNorm(gamma_initializer=SmallGamma(seed, layer), name=layer)(x)
            return ReLU(name=f"{part}_relu_{index}")(x)

        inputs = x = image_input(num_channels)
        skips = []
        for b in range(num_blocks):
            for i in range(num_enc_conv):
                first = b == 0 and i == 0
                x = conv_norm_relu(x, num_kernels * 2**b, f"encoder_{b}", i, norm=not first)
            skips.append(x)
            x = AveragePooling2D(2, data_format="channels_last", name=f"pool_{b}")(x)
        for i in range(num_mid_conv):
            x = conv_norm_relu(x, num_kernels * 2**num_blocks, "middle", i)
        for b in reversed(range(num_blocks)):
            x = upsample(x, num_kernels * 2**b, f"upsample_{b}")
            x = Concatenate(name=f"skip_{b}")([x, skips[b]])
            for i in range(num_dec_conv if b else num_dec_conv - 1):
                x = conv_norm_relu(x, num_kernels * 2**b, f"decoder_{b}", i)
        outputs = conv(x, num_channels, f"decoder_0_conv_{num_dec_conv - 1}")

        super().__init__(inputs, outputs, seed, provenance, name)
        self.num_channels = num_channels
        self.num_blocks = num_blocks
        self.num_kernels = num_kernels
        self.num_enc_conv = num_enc_conv
        self.num_mid_conv = num_mid_conv
        self.num_dec_conv = num_dec_conv

    @staticmethod
    def weight_shapes(
        num_channels: int,
        num_blocks: int,
        num_kernels: int,
        num_enc_conv: int,
        num_mid_conv: int,
        num_dec_conv: int,
    ) -> Iterable[tuple[int, ...]]:
        """See `Denoiser.weight_shapes`."""
        channels = num_channels

        def block(kernels, layers, first_norm=True):
            nonlocal channels
            for i in range(layers):
                yield from convolution_shapes(3, channels, kernels, norm=first_norm or i > 0)
                channels = kernels

        for b in range(num_blocks):
            yield from block(num_kernels * 2**b, num_enc_conv, first_norm=b > 0)
        yield from block(num_kernels * 2**num_blocks, num_mid_conv)
        for b in reversed(range(num_blocks)):
            kernels = num_kernels * 2**b
            yield from convolution_shapes(2, kernels, channels)
            channels = 2 * kernels
            yield from block(kernels, num_dec_conv if b else num_dec_conv - 1)
        yield from convolution_shapes(3, channels, num_channels)

    @property
    def size_multiple(self) -> int:
        return 2**self.num_blocks

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_channels": self.num_channels,
            "num_blocks": self.num_blocks,
            "num_kernels": self.num_kernels,
            "num_enc_conv": self.num_enc_conv,
            "num_mid_conv": self.num_mid_conv,
            "num_dec_conv": self.num_dec_conv,
        }
