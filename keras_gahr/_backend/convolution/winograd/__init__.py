"""Convolutions of 3x3 kernels by Winograd's algorithm; one module per backend, the same names in each."""

import importlib

import keras

from ..switch import plain_convolutions
from .algorithm import transform_kernel as transform_kernel

_module = importlib.import_module(f"{__name__}.{keras.backend.backend()}")


def tile_side(channels_in, channels_out):
    """For which m `convolve_tiles` is the fastest way to a convolution, or None if it is not.

    On accelerators their own libraries choose.
    """
    return None if plain_convolutions() else _module.tile_side(channels_in, channels_out)


def convolve_tiles(images, kernels):
    """A convolution of 3x3 kernels and stride 1 by Winograd's algorithm, for inference.

    Args:
        images: float32 `(batch, height, width, in)`.
        kernels: as `winograd.algorithm.transform_kernel` makes them.

    Returns:
        Images of the same size, `(batch, height, width, out)`; what lies outside counts as 0.
    """
    return _module.convolve_tiles(images, kernels)
