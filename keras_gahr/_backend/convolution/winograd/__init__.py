"""Convolutions of 3x3 kernels by Winograd's algorithm; one module per backend, the same names in each."""

import functools
import importlib
import math

import keras
import numpy as np

from keras_gahr._backend import convolution

from ..choice import as_in_a_network, fastest
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

_LENGTH = 80 * 64, 8, 80
"""Of the images that are measured: side times channels, and the least and the largest side."""

_SIDES = 4, 8, 16, 32, 64
"""The same where it is known how many pixels there are, of whole tiles; larger ones would take long, and
choose the same."""

_LEAST_PIXELS = 256
"""Fewer take less by the backend's own convolution than reading a transformed kernel does."""

_MOST_COVERED = 1.5
"""Pixels that tiles cover for each one of an image, from which they usually take longer."""


def tile_side(channels_in, channels_out, images=None):
    """For which m `convolve_tiles` is the fastest way to a convolution, or None if it is not.

    As measured on this machine, unless `choice.VARIABLE` says otherwise. On accelerators their own libraries
    choose.

    Args:
        channels_in, channels_out: of the convolution.
        images: `(count, height, width)` of those at once, where that is known. By default one of a usual
            size.
    """
    usual = usual_side(channels_in, channels_out, images)
    if channels_in * channels_out < LEAST_MEASURED or plain_convolutions() or not on_cpu():
        return usual
    length = measured_side(channels_in, channels_out, None if images is None else math.prod(images))
    ways = {
        way: functools.partial(_prepare, side, channels_in, channels_out, length)
        for way, side in WAYS.items()
    }
    question = f"3x3 kernels, {channels_in} to {channels_out} channels, {length}x{length} pixels"
    longer = None if images is None else factors(images[1:], length)
    return WAYS[fastest(question, ways, name_of(usual), longer)]


def usual_side(channels_in, channels_out, images=None, least=None):
    """The same where nothing is measured; `least` pairs of channels, by default those of the backend."""
    if plain_convolutions() or not on_cpu():
        return None
    side = fastest_side(channels_in, channels_out, least or _module.LEAST_CHANNELS)
    if side is None or images is None:
        return side
    few = math.prod(images) < _LEAST_PIXELS
    return None if few or _covered(side, images[1:]) > _MOST_COVERED else side


def name_of(side):
    """The name of a way."""
    return next(way for way, of_way in WAYS.items() if of_way == side)


def measured_side(channels_in, channels_out, pixels=None):
    """Side of the images that are measured, see `tile_side`.

    Of some sides, each twice the one before, that with the nearest number of pixels; by default it is halved
    where channels double, as in a UNet.
    """
    if pixels is None:
        over, least, most = _LENGTH
        return min(most, max(least, over // max(channels_in, channels_out)))
    nearest = round(math.log2(math.sqrt(max(pixels, 1)) / _SIDES[0]))
    return _SIDES[min(len(_SIDES) - 1, max(0, nearest))]


def factors(sides, length):
    """{way: by how much more of an image tiles compute} for another height and width than those measured.

    Tiles go beyond the ends of images whose sides they do not divide.
    """
    tiles = {way: side for way, side in WAYS.items() if side}
    return {
        way: _covered(side, sides) / _covered(side, (length, length)) for way, side in tiles.items()
    }


def _covered(side, sides):
    """Pixels that tiles cover for each one of an image."""
    return math.prod(-(-length // side) * side for length in sides) / math.prod(sides)


def _prepare(side, channels_in, channels_out, length):
    """A function that computes one image, of this side."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((1, length, length, channels_in), np.float32)
    kernel = rng.standard_normal((3, 3, channels_in, channels_out), np.float32)
    images = keras.ops.convert_to_tensor(images)
    if side is None:
        kernel = keras.ops.convert_to_tensor(kernel.transpose(convolution.KERNEL_AXES).copy())
        convolve = convolution.own_for(images, kernel)
    else:
        convolve, kernel = constant(kernel, side)
    compiled = convolution.compiled(convolve)
    return as_in_a_network(lambda: keras.ops.convert_to_numpy(compiled(images, kernel)), images)


def on_cpu():
    """Whether the backend computes on the processor."""
    return _module.on_cpu()


def constant(kernel, side):
    """A function of images and a kernel that stays the same, by tiles, and that kernel as it takes it.

    Args:
        kernel: `(3, 3, in, out)`, a NumPy array.
        side: m.
    """
    return _module.constant(kernel, side)


def convolve_tiles(images, kernels):
    """A convolution of 3x3 kernels and stride 1 by Winograd's algorithm, for inference.

    Args:
        images: float32 `(batch, height, width, in)`.
        kernels: as `winograd.algorithm.transform_kernel` makes them.

    Returns:
        Images of the same size, `(batch, height, width, out)`; what lies outside counts as 0.
    """
    return _module.convolve_tiles(images, kernels)
