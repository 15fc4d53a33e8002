"""The denoisers by name."""

from __future__ import annotations

import inspect
from typing import Any

from keras_gahr.errors import InputError

from .bf_cnn import BFCNN
from .denoiser import Denoiser
from .dilated_unet import DilatedUNet
from .flexible_unet import FlexibleUNet
from .receptive_field_bf_cnn import ReceptiveFieldBFCNN
from .unet import UNet

ARCHITECTURES = {
    "unet": UNet,
    "bf-cnn": BFCNN,
    "bf-cnn-rf": ReceptiveFieldBFCNN,
    "dilated-unet": DilatedUNet,
    "unet-flex": FlexibleUNet,
}
"""The classes of networks by their names on the command line."""


def build_denoiser(architecture: str, **options: Any) -> Denoiser:
    """A new denoiser with random weights.

    Args:
        architecture: a key of `ARCHITECTURES`.
        **options: arguments of that class.

    Raises:
        InputError: for an unknown architecture, or an option that it does not have.

    Examples:
        >>> import keras_gahr as kg
        >>> denoiser = kg.build_denoiser("unet", num_channels=1, num_blocks=1, num_kernels=4)
        >>> type(denoiser).__name__
        'UNet'
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


def build_conditional_denoiser(architecture: str, bands: int, **options: Any) -> Denoiser:
    """A new network with random weights that denoises the details of a scale given its low band.

    Args:
        architecture: "bf-cnn-rf".
        bands: channels of the wavelet bands, four for those of grey images.
        **options: arguments of that class but `num_channels` and `coarse`.

    Raises:
        InputError: for another architecture, other bands, or an option that it does not have.

    Examples:
        >>> from keras_gahr.denoisers import build_conditional_denoiser
        >>> options = {"receptive_field": 5, "num_kernels": 4}
        >>> denoiser = build_conditional_denoiser("bf-cnn-rf", bands=4, **options)
        >>> denoiser.input_channels, denoiser.output_channels
        (4, 3)
    """
    if architecture != "bf-cnn-rf":
        raise InputError(
            f"received architecture {architecture!r} for a conditional network, expected bf-cnn-rf"
        )
    if bands != 4:
        raise InputError(
            f"received images with {bands} channel(s) for a conditional network, expected the 4 wavelet "
            "bands of grey images: make them with `gahr data bands`"
        )
    return build_denoiser(architecture, num_channels=1, coarse=False, **options)
