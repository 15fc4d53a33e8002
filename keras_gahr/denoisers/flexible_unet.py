"""The UNet of the lab's later code, whose blocks may differ."""

from __future__ import annotations

import functools
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gahr import _backend
from keras_gahr.datasets.stacks import pixel_values
from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole

from .bias_free_norm import BiasFreeNorm
from .configuration import check_stored_options
from .denoiser import Denoiser, check_network_size, pixel_tensor
from .image_norm import ImageNorm
from .initialization import HeNormal, SmallGamma, checked_seed
from .layers import AveragePooling2D, Concatenate, Conv2D, Conv2DTranspose, ReLU, image_input

NORMS = ("layer", "instance", "batch", "none")
"""What may follow a convolution."""

_MOST_BLOCKS = 12
"""More than an image has powers of two."""


@keras.saving.register_keras_serializable("keras_gahr")
class FlexibleUNet(Denoiser):
    """UNet with any number of kernels and convolutions in each block: `UNet_flex` of the lab's later code.

    Encoder block b has 3x3 convolutions with `num_kernels[b]` kernels; its output is averaged over 2x2
    pixels, and kept for the decoder if there is an `inter_skip`. The middle block has the last of the
    kernels. Decoder block b doubles the size with a transposed convolution, appends the encoder's output
    if there is one, and convolves again. Each convolution is followed by a norm and ReLU, but the very
    first has no norm and the very last has neither. Height and width must divide by 2 to the number of
    blocks.

    With the norms "layer" and "instance", and with biases, it is not homogeneous: D(a y) is not a D(y).
    Those norms see the whole image, so that there is no receptive field and large images are computed
    whole.

    Args:
        num_channels: channels of the images.
        num_kernels: kernels of each encoder block, and of the middle after them; or those of the first
            block alone, which are doubled from one to the next.
        num_blocks: encoder blocks, if `num_kernels` is a number; by default 3.
        num_enc_conv, num_dec_conv: convolutions of each block, from the outermost on, or of all alike.
        num_mid_conv: convolutions of the middle.
        norm: "layer" or "instance" (see `ImageNorm`), "batch" (see `BiasFreeNorm`) or "none".
        bias: whether convolutions have biases.
        upsample_bias: whether transposed convolutions have, but for the outermost, which never has one, as
            published.
        inter_skip: whether the decoder is given the encoder's outputs.
        seed, provenance, name: see `Denoiser`.

    Examples:
        >>> import keras_gahr as kg
        >>> denoiser = kg.FlexibleUNet(3, num_kernels=[4, 6, 10], num_dec_conv=[2, 3], norm="instance")
        >>> denoiser.size_multiple, denoiser.num_enc_conv
        (4, (2, 2))
    """

    def __init__(
        self,
        num_channels: int = 1,
        num_kernels: int | Sequence[int] = 64,
        num_blocks: int | None = None,
        num_enc_conv: int | Sequence[int] = 2,
        num_mid_conv: int = 3,
        num_dec_conv: int | Sequence[int] = 6,
        norm: str = "layer",
        bias: bool = True,
        upsample_bias: bool = False,
        inter_skip: bool = True,
        seed: int | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "flexible_unet",
    ) -> None:
        if norm not in NORMS:
            raise InputError(f"received norm {norm!r:.40}, expected one of {', '.join(NORMS)}")
        kernels = _kernels(num_kernels, num_blocks)
        blocks = len(kernels) - 1
        sizes = {
            "num_channels": num_channels,
            "num_kernels": kernels,
            "num_enc_conv": _in_each_block(num_enc_conv, blocks, "num_enc_conv"),
            "num_mid_conv": num_mid_conv,
            "num_dec_conv": _in_each_block(num_dec_conv, blocks, "num_dec_conv"),
        }
        bias, upsample_bias, inter_skip = map(bool, (bias, upsample_bias, inter_skip))
        shapes = self.weight_shapes(
            **sizes,
            norm=norm,
            bias=bias,
            upsample_bias=upsample_bias,
            inter_skip=inter_skip,
        )
        check_network_size(shapes, **_counts(sizes))
        seed = checked_seed(seed)

        def conv(x, filters, layer):
            return Conv2D(
                filters,
                3,
                padding="same",
                use_bias=bias,
                data_format="channels_last",
                kernel_initializer=HeNormal(seed, layer),
                name=layer,
            )(x)

        def normalized(x, layer):
            gamma = SmallGamma(seed, layer)
            if norm == "batch":
                return BiasFreeNorm(gamma_initializer=gamma, name=layer)(x)
            return ImageNorm(norm == "layer", gamma_initializer=gamma, name=layer)(x)

        def conv_norm_relu(x, filters, part, index, first=False):
            x = conv(x, filters, f"{part}_conv_{index}")
            if norm != "none" and not first:
                x = normalized(x, f"{part}_norm_{index}")
            return ReLU(name=f"{part}_relu_{index}")(x)

        inputs = x = image_input(num_channels)
        ends = []
        for b in range(blocks):
            for i in range(sizes["num_enc_conv"][b]):
                x = conv_norm_relu(x, kernels[b], f"encoder_{b}", i, first=b == 0 and i == 0)
            ends.append(x)
            x = AveragePooling2D(2, data_format="channels_last", name=f"pool_{b}")(x)
        for i in range(num_mid_conv):
            x = conv_norm_relu(x, kernels[-1], "middle", i)
        ends.append(x)
        for b in reversed(range(blocks)):
            x = Conv2DTranspose(
                kernels[b],
                2,
                strides=2,
                use_bias=upsample_bias and b > 0,
                data_format="channels_last",
                kernel_initializer=HeNormal(seed, f"upsample_{b}"),
                name=f"upsample_{b}",
            )(x)
            if inter_skip:
                x = Concatenate(name=f"skip_{b}")([x, ends[b]])
            convolutions = sizes["num_dec_conv"][b]
            for i in range(convolutions if b else convolutions - 1):
                x = conv_norm_relu(x, kernels[b], f"decoder_{b}", i)
            if b:
                ends.append(x)
        outputs = conv(x, num_channels, f"decoder_0_conv_{sizes['num_dec_conv'][0] - 1}")

        super().__init__(inputs, outputs, seed, provenance, name)
        self.num_channels = num_channels
        self.num_kernels = sizes["num_kernels"]
        self.num_enc_conv = sizes["num_enc_conv"]
        self.num_mid_conv = num_mid_conv
        self.num_dec_conv = sizes["num_dec_conv"]
        self.norm = norm
        self.bias = bias
        self.upsample_bias = upsample_bias
        self.inter_skip = inter_skip
        self._features = _Features(self, ends)

    @staticmethod
    def weight_shapes(
        num_channels: int,
        num_kernels: Sequence[int],
        num_enc_conv: Sequence[int],
        num_mid_conv: int,
        num_dec_conv: Sequence[int],
        norm: str,
        bias: bool,
        upsample_bias: bool,
        inter_skip: bool,
    ) -> Iterable[tuple[int, ...]]:
        """See `Denoiser.weight_shapes`."""
        vectors = bias + {"none": 0, "batch": 2}.get(norm, 1)
        channels = num_channels

        def block(kernels, layers, vectors=vectors):
            nonlocal channels
            for _ in range(layers):
                yield 3, 3, channels, kernels
                yield from [(kernels,)] * vectors
                channels = kernels

        yield from block(num_kernels[0], 1, bias)
        yield from block(num_kernels[0], num_enc_conv[0] - 1)
        for b in range(1, len(num_enc_conv)):
            yield from block(num_kernels[b], num_enc_conv[b])
        yield from block(num_kernels[-1], num_mid_conv)
        for b in reversed(range(len(num_dec_conv))):
            kernels = num_kernels[b]
            yield 2, 2, kernels, channels
            yield from [(kernels,)] * (upsample_bias and b > 0)
            channels = 2 * kernels if inter_skip else kernels
            yield from block(kernels, num_dec_conv[b] if b else num_dec_conv[0] - 1)
        yield from block(num_channels, 1, bias)

    @classmethod
    def stored_shapes(cls, options: dict[str, Any]) -> Iterable[tuple[int, ...]]:
        """See `Denoiser.stored_shapes`."""
        check_stored_options(options, _STORED)
        missing = _STORED.keys() - options.keys()
        if missing:
            raise ValueError(f"it has no {sorted(missing)[0]}")
        if options["norm"] not in NORMS:
            raise ValueError(f"it has another norm than {', '.join(NORMS)}")
        kernels = _kernels(options["num_kernels"], None)
        for name in ("num_enc_conv", "num_dec_conv"):
            _in_each_block(options[name], len(kernels) - 1, name)
        arguments = {name: options[name] for name in _STORED}
        check_network_size(cls.weight_shapes(**arguments), **_counts(arguments))
        return cls.weight_shapes(**arguments)

    @property
    def size_multiple(self) -> int:
        return 2 ** len(self.num_enc_conv)

    def features(self, noisy: Any, batch_size: int = 32) -> Any:
        """phi(y): spatial means of the last feature map of each block, in evaluation mode.

        Those of the encoder's blocks from the outermost on, of the middle, and of the decoder's blocks
        from the innermost on but the outermost, one after the other. They are features for whatever
        compares images: `as_features(denoiser)`, or `features=denoiser.features`.

        Args:
            noisy: y, `(batch, height, width, channels)`: an array, uint8 in 0..255 or floats in the units
                of [0, 1], or a tensor.
            batch_size: images of an array that are computed at once.

        Returns:
            float32 `(batch, k)`: a NumPy array, or of a tensor a tensor, which can be differentiated. k is
            `sum(feature_sizes)`.

        Raises:
            InputError: for images that do not fit.

        Examples:
            >>> import keras_gahr as kg, numpy as np
            >>> denoiser = kg.FlexibleUNet(num_kernels=[4, 6, 10])
            >>> denoiser.feature_sizes
            (4, 6, 10, 6)
            >>> denoiser.features(np.full((5, 8, 8, 1), 0.5)).shape
            (5, 26)
        """
        if ops.is_tensor(noisy):
            self.check_shape(noisy.shape)
            return self._features.of_tensor(pixel_tensor(noisy))
        noisy = pixel_values(noisy)
        self.check_shape(noisy.shape)
        batch_size = check_whole(batch_size, "batch_size", 1)
        return self._features.of_array(noisy, batch_size)

    @property
    def feature_sizes(self) -> tuple[int, ...]:
        """How many numbers of `features` each block makes, in their order."""
        return (*self.num_kernels, *self.num_kernels[-2:0:-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_channels": self.num_channels,
            "num_kernels": list(self.num_kernels),
            "num_enc_conv": list(self.num_enc_conv),
            "num_mid_conv": self.num_mid_conv,
            "num_dec_conv": list(self.num_dec_conv),
            "norm": self.norm,
            "bias": self.bias,
            "upsample_bias": self.upsample_bias,
            "inter_skip": self.inter_skip,
        }


_STORED = {
    "num_channels": (int,),
    "num_kernels": (list,),
    "num_enc_conv": (list,),
    "num_mid_conv": (int,),
    "num_dec_conv": (list,),
    "norm": (str,),
    "bias": (bool,),
    "upsample_bias": (bool,),
    "inter_skip": (bool,),
}
"""The options in files, with their types."""


class _Features:
    """The spatial means of some tensors in a network.

    Args:
        network: the model.
        maps: symbolic tensors in it, `(batch, height, width, channels)`.
    """

    def __init__(self, network, maps):
        self._network, self._maps = network, maps
        self._compiled = None

    @functools.cached_property
    def _model(self):
        model = keras.Model(self._network.inputs, self._maps)
        model.dtype_policy = "float32"
        return model

    def of_tensor(self, noisy):
        return _means(self._model(noisy, training=False))

    def of_array(self, noisy, batch_size):
        if self._compiled is None:
            self._compiled = _backend.compile_inference(
                self._model, lambda model, noisy: _means(model(noisy))
            )
        parts = [noisy[i : i + batch_size] for i in range(0, len(noisy), batch_size)]
        found = [ops.convert_to_numpy(self._compiled(part)) for part in parts]
        return np.concatenate(found)


def _means(maps):
    """Their means over height and width, one after the other."""
    return ops.concatenate([ops.mean(ops.cast(x, "float32"), (1, 2)) for x in maps], -1)


def _kernels(given, num_blocks):
    """The kernels of each encoder block and of the middle, a tuple."""
    if isinstance(given, numbers.Integral):
        blocks = 3 if num_blocks is None else check_whole(num_blocks, "num_blocks", 1, _MOST_BLOCKS)
        given = [given * 2**b for b in range(blocks + 1)]
    kernels = _whole_numbers(given, "num_kernels")
    if not 2 <= len(kernels) <= _MOST_BLOCKS + 1:
        raise InputError(
            f"received {len(kernels)} num_kernels, expected those of 1 to {_MOST_BLOCKS} encoder blocks and "
            "of the middle"
        )
    if num_blocks is not None and num_blocks != len(kernels) - 1:
        raise InputError(
            f"received num_blocks = {num_blocks!r:.40} and {len(kernels)} num_kernels, which are those of "
            f"{len(kernels) - 1} blocks and the middle: leave num_blocks out"
        )
    return kernels


def _in_each_block(given, blocks, name):
    """The number of convolutions of each block, a tuple."""
    if isinstance(given, numbers.Integral):
        given = [given] * blocks
    counts = _whole_numbers(given, name)
    if len(counts) != blocks:
        raise InputError(
            f"received {name} of {len(counts)} blocks, expected one number for each of the {blocks} blocks"
        )
    return counts


def _whole_numbers(given, name):
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(
            f"received {name} {given!r:.40}, expected a whole number, or one for each block"
        )
    return tuple(check_whole(number, name, 1) for number in given)


def _counts(sizes):
    """Sizes as `check_network_size` takes them, each number by its own name."""
    counts = {}
    for name, size in sizes.items():
        if isinstance(size, tuple | list):
            counts.update({f"{name}[{place}]": number for place, number in enumerate(size)})
        elif not isinstance(size, bool | str):
            counts[name] = size
    return counts
