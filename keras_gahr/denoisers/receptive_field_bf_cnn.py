"""BF-CNN with a limited receptive field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from keras_gahr.errors import InputError

from .bf_cnn import bias_free_chain, chain_shapes
from .denoiser import Denoiser, check_network_size
from .initialization import checked_seed
from .layers import image_input

_LAYERS = 21
RECEPTIVE_FIELDS = tuple(range(3, 2 * _LAYERS + 2, 2))
"""All that 21 layers can have; the published networks have 5, 9, 13, 23 and 43."""


def receptive_field_kernel_sizes(receptive_field):
    """The side of each of the 21 convolutions: 3 at both ends and evenly between them, else 1.

    Each 3x3 convolution adds 2 pixels; the only one of a receptive field of 3 is the first layer.

    Raises:
        InputError: unless the receptive field is one of `RECEPTIVE_FIELDS`.
    """
    if isinstance(receptive_field, float) or receptive_field not in RECEPTIVE_FIELDS:
        raise InputError(
            f"received a receptive field of {receptive_field}, expected an odd number of pixels from "
            f"{RECEPTIVE_FIELDS[0]} to {RECEPTIVE_FIELDS[-1]}; published are 5, 9, 13, 23, 43"
        )
    last = _LAYERS - 1
    if receptive_field == 9:
        # No even spacing exists, and the published code spaces them by 8 instead of rounding.
        wide = {0, 8, 16, last}
    else:
        gaps = max(1, (receptive_field - 1) // 2 - 1)
        wide = {round(i * last / gaps) for i in range((receptive_field - 1) // 2)}
    return [3 if i in wide else 1 for i in range(_LAYERS)]


@keras.saving.register_keras_serializable("keras_gahr")
class ReceptiveFieldBFCNN(Denoiser):
    """A 21-layer BF-CNN, first layer linear, whose receptive field is set by 1x1 convolutions.

    Args:
        num_channels: channels C of the images.
        receptive_field: an odd number of pixels from 3 to 43. Published are 5, 9, 13, 23 and 43: one
            channel and 64 kernels give 80,192, 145,728, 211,264, 375,104 and 702,784 parameters.
        num_kernels: kernels of each convolution but the last.
        coarse: True for a network from C channels to C. False for the conditional network of the
            multi-scale denoiser: 3 C + 1 channels in (a clean low band, then the noisy details) and
            3 C out (the residual of the details).
        seed, provenance, name: see `Denoiser`.

    Raises:
        InputError: for another receptive field.

    Examples:
        >>> import keras_gahr as kg
        >>> denoiser = kg.ReceptiveFieldBFCNN(num_channels=1, receptive_field=13, num_kernels=4)
        >>> denoiser.input_shape
        (None, None, None, 1)
    """

    def __init__(
        self,
        num_channels: int = 1,
        receptive_field: int = 43,
        num_kernels: int = 64,
        coarse: bool = True,
        seed: int | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "receptive_field_bf_cnn",
    ) -> None:
        check_network_size(
            self.weight_shapes(num_channels, receptive_field, num_kernels, coarse),
            num_channels=num_channels,
            num_kernels=num_kernels,
        )
        seed = checked_seed(seed)
        kernel_sizes = receptive_field_kernel_sizes(receptive_field)
        input_channels, output_channels = _channels(num_channels, coarse)
        inputs = image_input(input_channels)
        outputs = bias_free_chain(
            inputs,
            kernel_sizes,
            num_kernels,
            output_channels,
            first_layer_linear=True,
            seed=seed,
        )
        super().__init__(inputs, outputs, seed, provenance, name)
        self.num_channels = num_channels
        self.receptive_field = receptive_field
        self.num_kernels = num_kernels
        self.coarse = coarse

    @staticmethod
    def weight_shapes(
        num_channels: int, receptive_field: int, num_kernels: int, coarse: bool
    ) -> Iterable[tuple[int, ...]]:
        """See `Denoiser.weight_shapes`."""
        kernel_sizes = receptive_field_kernel_sizes(receptive_field)
        return chain_shapes(kernel_sizes, num_kernels, *_channels(num_channels, coarse))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_channels": self.num_channels,
            "receptive_field": self.receptive_field,
            "num_kernels": self.num_kernels,
            "coarse": self.coarse,
        }


def _channels(num_channels, coarse):
    """Channels in and out."""
    return (num_channels, num_channels) if coarse else (3 * num_channels + 1, 3 * num_channels)
