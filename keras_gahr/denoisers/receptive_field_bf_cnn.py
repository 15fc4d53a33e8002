"""BF-CNN with a limited receptive field."""

import keras

from keras_gahr.errors import InputError

from .bf_cnn import bias_free_chain
from .denoiser import Denoiser, check_size
from .initialization import fresh_seed

RECEPTIVE_FIELDS = (5, 9, 13, 23, 43)
_LAYERS = 21


def receptive_field_kernel_sizes(receptive_field):
    """The side of each of the 21 convolutions: 3 at both ends and at every p-th layer, else 1.

    Raises:
        InputError: unless the receptive field is one of `RECEPTIVE_FIELDS`.
    """
    if receptive_field not in RECEPTIVE_FIELDS:
        fields = ", ".join(map(str, RECEPTIVE_FIELDS))
        raise InputError(
            f"received a receptive field of {receptive_field}, expected one of {fields}"
        )
    # The 3x3 convolutions are evenly spaced, but for 9 pixels no even spacing exists: the published
    # code then spaces them by 8.
    period = 8 if receptive_field == 9 else (_LAYERS - 1) // ((receptive_field - 1) // 2 - 1)
    return [3 if i % period == 0 or i == _LAYERS - 1 else 1 for i in range(_LAYERS)]


@keras.saving.register_keras_serializable("keras_gahr")
class ReceptiveFieldBFCNN(Denoiser):
    """A 21-layer BF-CNN, first layer linear, whose receptive field is set by 1x1 convolutions.

    Args:
        num_channels: channels C of the images.
        receptive_field: 5, 9, 13, 23 or 43 pixels. One channel and 64 kernels give 80,192, 145,728,
            211,264, 375,104 and 702,784 parameters.
        num_kernels: kernels of each convolution but the last.
        coarse: True for a network from C channels to C. False for the conditional network of the
            multi-scale denoiser: 3 C + 1 channels in (a clean low band, then the noisy details) and
            3 C out (the residual of the details).
        seed, provenance, name: see `Denoiser`.

    Raises:
        InputError: for another receptive field.
    """

    def __init__(
        self,
        num_channels=1,
        receptive_field=43,
        num_kernels=64,
        coarse=True,
        seed=None,
        provenance=None,
        name="receptive_field_bf_cnn",
    ):
        check_size(_LAYERS * num_kernels**2, num_channels=num_channels, num_kernels=num_kernels)
        seed = fresh_seed() if seed is None else seed
        kernel_sizes = receptive_field_kernel_sizes(receptive_field)
        input_channels = num_channels if coarse else 3 * num_channels + 1
        output_channels = num_channels if coarse else 3 * num_channels
        inputs = keras.Input((None, None, input_channels), name="noisy")
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

    def get_config(self):
        return {
            **super().get_config(),
            "num_channels": self.num_channels,
            "receptive_field": self.receptive_field,
            "num_kernels": self.num_kernels,
            "coarse": self.coarse,
        }
