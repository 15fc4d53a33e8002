"""A convolution of 3x3 kernels on JAX that is computed by Winograd's algorithm, with its gradients.

Two primitives of JAX, each linear in both of its arguments, and each transposed to the other or to itself.
So they are differentiated in both modes, any number of times.
"""

import functools

import jax
from jax import numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from . import winograd
from .winograd import jax as tiles
from .winograd.algorithm import bytes_at_once

_AT_ONCE = 2**20
"""Bytes of an array of tiles, or more: what a core's cache holds."""


def helps(images, kernel):
    """Whether this is faster than XLA's convolution, on a CPU."""
    return images.dtype == kernel.dtype == jnp.float32 and (
        tile_side(images.shape, kernel.shape) is not None
    )


def tile_side(images_shape, kernel_shape):
    """For which m tiles of m x m pixels are the fastest way through a step of training, or None.

    Args:
        images_shape: `(batch, height, width, in)`.
        kernel_shape: `(rows, columns, in, out)`.
    """
    batch, height, width, _ = images_shape
    if not winograd.pays_in_training(batch * height * width, kernel_shape):
        return None
    return winograd.usual_side(*kernel_shape[2:], images_shape[:3])


def convolve(images, kernel):
    """Images `(batch, height, width, in)` and a kernel `(3, 3, in, out)`, for which this `helps`."""
    side = tile_side(images.shape, kernel.shape)
    return _convolution.bind(images, kernel, side=side)


def _turned(kernel):
    """From outputs to inputs: what takes the gradient of a convolution to that of its images."""
    return jnp.swapaxes(kernel[::-1, ::-1], 2, 3)


def _convolved(images, kernel, side):
    kernels = tiles.transform_array(tiles.once_there(images, kernel), side)
    return tiles.convolve_tiles(images, kernels, _at_once(side, *kernel.shape[2:]))


def _in_kernel(images, gradient, side):
    at_once = _at_once(side, images.shape[3], gradient.shape[3])
    return tiles.kernel_gradient(images, gradient, side, at_once)


_at_once = functools.partial(bytes_at_once, _AT_ONCE)


def _bilinear(name, function, result_shape):
    """A primitive of two arrays and a side."""
    primitive = Primitive(name)
    primitive.def_impl(jax.jit(function, static_argnames="side"))

    def abstract(first, second, side):
        return jax.core.ShapedArray(result_shape(first.shape, second.shape), first.dtype)

    primitive.def_abstract_eval(abstract)
    mlir.register_lowering(primitive, mlir.lower_fun(function, multiple_results=False))
    batching.primitive_batchers[primitive] = functools.partial(_one_after_the_other, primitive)
    return primitive


def _one_after_the_other(primitive, arguments, axes, side):
    """The rule for `vmap`."""
    mapped = [
        jnp.moveaxis(argument, axis, 0)
        for argument, axis in zip(arguments, axes, strict=True)
        if axis is not None
    ]

    def bind(parts):
        parts = iter(parts)
        both = [
            argument if axis is None else next(parts)
            for argument, axis in zip(arguments, axes, strict=True)
        ]
        return primitive.bind(*both, side=side)

    return jax.lax.map(bind, mapped), 0


_convolution = _bilinear("winograd", _convolved, lambda images, kernel: (*images[:3], kernel[3]))
_kernel_gradient = _bilinear(
    "winograd_kernel_gradient", _in_kernel, lambda images, gradient: (3, 3, images[3], gradient[3])
)

ad.defbilinear(
    _convolution,
    lambda gradient, images, kernel, side: convolve(gradient, _turned(kernel)),
    lambda gradient, images, kernel, side: _kernel_gradient.bind(images, gradient, side=side),
)
ad.defbilinear(
    _kernel_gradient,
    lambda kernel, images, gradient, side: convolve(gradient, _turned(kernel)),
    lambda kernel, images, gradient, side: convolve(images, kernel),
)
