"""The denoisers by name."""

import inspect

from keras_gahr.errors import InputError

from .bf_cnn import BFCNN
from .dilated_unet import DilatedUNet
from .receptive_field_bf_cnn import ReceptiveFieldBFCNN
from .unet import UNet

ARCHITECTURES = {
    "unet": UNet,
    "bf-cnn": BFCNN,
    "bf-cnn-rf": ReceptiveFieldBFCNN,
    "dilated-unet": DilatedUNet,
}


def build_denoiser(architecture, **options):
    """A new denoiser with random weights.

    Args:
        architecture: a key of `ARCHITECTURES`.
        **options: arguments of that class.

    Raises:
        InputError: for an unknown architecture, or an option that it does not have.
    """
    if architecture not in ARCHITECTURES:
        raise InputError(
            f"received architecture {architecture!r}, expected one of {', '.join(ARCHITECTURES)}"
        )
    denoiser = ARCHITECTURES[architecture]
    known = inspect.signature(denoiser).parameters
    for option in options:
        if option not in known:
            raise InputError(
                f"received {option} for the architecture {architecture}, which has {', '.join(known)}"
            )
    return denoiser(**options)
