"""The denoisers by name."""

from keras_gahr.errors import InputError

from .bf_cnn import BFCNN
from .receptive_field_bf_cnn import ReceptiveFieldBFCNN
from .unet import UNet

ARCHITECTURES = {"unet": UNet, "bf-cnn": BFCNN, "bf-cnn-rf": ReceptiveFieldBFCNN}


def build_denoiser(architecture, **options):
    """A new denoiser with random weights.

    Args:
        architecture: a key of `ARCHITECTURES`.
        **options: arguments of that class.

    Raises:
        InputError: for an unknown architecture.
    """
    if architecture not in ARCHITECTURES:
        raise InputError(
            f"received architecture {architecture!r}, expected one of {', '.join(ARCHITECTURES)}"
        )
    return ARCHITECTURES[architecture](**options)
