"""Convolutions to one channel on PyTorch, on a CPU.

PyTorch computes many channels at once, of which there is one here. A product with the kernel at each pixel
and sums over neighbours took a third of the time where this was seen first; elsewhere its own may be faster.
"""

import functools
import math

import numpy as np
import torch

from . import winograd
from .choice import fastest
from .torch_gradient import computes, plain

_PRODUCT = "a product at each pixel"

_LEAST_CHANNELS = 64
"""Fewer are not measured."""


def convolve(images, kernel):
    """See `keras_gahr._backend.convolution.convolve`; a kernel `(1, rows, columns, in)`."""
    return _WAYS[_way(images, kernel)](images, kernel)


def _by_product(images, kernel):
    _, rows, columns, channels = images.shape
    _, height, width, _ = kernel.shape
    taps = kernel.flip(1, 2).reshape(-1, channels) @ images.flatten(1, 2).mT
    padding = height // 2, width // 2
    summed = torch.nn.functional.fold(taps, (rows, columns), (height, width), padding=padding)
    return summed.permute(0, 2, 3, 1)


_WAYS = {_PRODUCT: _by_product, winograd.OWN: plain}


def _way(images, kernel):
    *pixels, channels = images.shape
    if channels < _LEAST_CHANNELS or torch.compiler.is_dynamo_compiling():
        return _PRODUCT
    learns = torch.is_grad_enabled() and kernel.requires_grad
    length = winograd.measured_side(channels, 1, math.prod(pixels))
    ways = {
        way: functools.partial(_prepare, function, kernel.shape, length, learns)
        for way, function in _WAYS.items()
    }
    rows, columns = kernel.shape[1:3]
    question = f"{rows}x{columns} kernels, {channels} to 1 channel, {length}x{length} pixels"
    question = f"training, {question}" if learns else question
    return fastest(question, ways, usual=_PRODUCT, may_measure=computes)


def _prepare(function, shape, length, learns):
    """A function that computes one image of this side, and both gradients if a kernel learns."""
    rng = np.random.default_rng(0)
    images, kernel, gradient = (
        torch.from_numpy(rng.standard_normal(shape, np.float32))
        for shape in ((1, length, length, shape[3]), tuple(shape), (1, length, length, 1))
    )

    def forwards():
        with torch.no_grad():
            function(images, kernel)

    def both_ways():
        with torch.enable_grad():
            given = images.requires_grad_(), kernel.requires_grad_()
            torch.autograd.grad(function(*given), given, gradient)

    return both_ways if learns else forwards
