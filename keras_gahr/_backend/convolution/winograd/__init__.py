"""Convolutions of 3x3 kernels by Winograd's algorithm; one module per backend, the same names in each."""

import functools
import importlib

import keras
import numpy as np

from keras_gahr._backend import convolution

from ..choice import fastest
from ..switch import plain_convolutions
from .algorithm import POINTS
from .algorithm import fastest_side as fastest_side
from .algorithm import pays_in_training as pays_in_training
from .algorithm import transform_kernel as transform_kernel

_module = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

OWN = "the backend's own"

WAYS = {OWN: None, **{f"Winograd, tiles of {side}x{side}": side for side in POINTS}}
"""Ways to a convolution, by the names that `choice.fastest` has for them, and the m of each."""

LEAST_MEASURED = 32 * 32
"""Pairs of channels; below, Winograd's algorithm was slower wherever it was measured."""

_PIXELS = 80 * 64, 8, 80
"""Of the images that are measured: side times channels, and the least and the largest side."""


def tile_side(channels_in, channels_out):
    """For which m `convolve_tiles` is the fastest way to a convolution, or None if it is not.

    As measured on this machine, unless `choice.VARIABLE` says otherwise. On accelerators their own libraries
    choose.
    """
    usual = usual_side(channels_in, channels_out)
    if channels_in * channels_out < LEAST_MEASURED or plain_convolutions() or not on_cpu():
        return usual
    ways = {
        way: functools.partial(_prepare, side, channels_in, channels_out)
        for way, side in WAYS.items()
    }
    question = f"3x3 kernels, {channels_in} to {channels_out} channels, one image"
    return WAYS[fastest(question, ways, name_of(usual))]


def usual_side(channels_in, channels_out):
    """The same where nothing is measured."""
    if plain_convolutions() or not on_cpu():
        return None
    return fastest_side(channels_in, channels_out, _module.LEAST_CHANNELS)


def name_of(side):
    """The name of a way."""
    return next(way for way, of_way in WAYS.items() if of_way == side)


def measured_pixels(channels_in, channels_out):
    """Side of the images that are measured: halved where channels double, as in a UNet."""
    over, least, most = _PIXELS
    return min(most, max(least, over // max(channels_in, channels_out)))


def _prepare(side, channels_in, channels_out):
    """A function that computes one image."""
    pixels = measured_pixels(channels_in, channels_out)
    rng = np.random.default_rng(0)
    images = rng.standard_normal((1, pixels, pixels, channels_in), np.float32)
    kernel = rng.standard_normal((3, 3, channels_in, channels_out), np.float32)
    if side is None:
        compute, kernel = convolution.convolve, kernel.transpose(convolution.KERNEL_AXES).copy()
    else:
        compute, kernel = convolve_tiles, transform_kernel(kernel, side)
    images, kernel = map(keras.ops.convert_to_tensor, (images, kernel))
    compiled = convolution.compiled(compute)
    return lambda: keras.ops.convert_to_numpy(compiled(images, kernel))


def on_cpu():
    """Whether the backend computes on the processor."""
    return _module.on_cpu()


def convolve_tiles(images, kernels):
    """A convolution of 3x3 kernels and stride 1 by Winograd's algorithm, for inference.

    Args:
        images: float32 `(batch, height, width, in)`.
        kernels: as `winograd.algorithm.transform_kernel` makes them.

    Returns:
        Images of the same size, `(batch, height, width, out)`; what lies outside counts as 0.
    """
    return _module.convolve_tiles(images, kernels)
