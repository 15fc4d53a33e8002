"""Winograd's convolution on JAX."""

import functools
from typing import NamedTuple

import jax
from jax import lax
from jax import numpy as jnp

from .algorithm import (
    KERNEL,
    both_axes,
    input_transform,
    kernel_transform,
    output_transform,
    side_of,
    transform_kernel,
)

LEAST_CHANNELS = 64 * 64
"""Pairs of channels from which it is usually faster than XLA's convolution on a CPU."""

_AT_ONCE = 2**24
"""Bytes of an array of tiles; larger ones leave the cache."""


def on_cpu():
    """See `keras_gahr._backend.convolution.winograd`."""
    return jax.default_backend() == "cpu"


def constant(kernel, side):
    """See `keras_gahr._backend.convolution.winograd`."""
    return convolve_tiles, jnp.asarray(transform_kernel(kernel, side))


def convolve_tiles(images, kernels, at_once=None):
    """See `keras_gahr._backend.convolution.winograd`; at_once are the bytes of an array of tiles."""
    at_once = at_once or _AT_ONCE
    batch, height, width, channels_in = images.shape
    products, _, channels_out = kernels.shape
    side = side_of(products)
    columns, parts, images_each, strips, rows_each = _parts(
        images.shape, max(channels_in, channels_out), side, at_once
    )
    filled_height = side * strips * rows_each
    margins = (0, 0), (1, filled_height + 1 - height), (1, columns * side + 1 - width), (0, 0)

    def convolve_part(part):
        padded = jnp.pad(part, margins)
        result = _mapped(
            lambda top: _convolve(
                lax.dynamic_slice_in_dim(padded, top, side * rows_each + 2, axis=1), kernels, side
            ),
            side * rows_each * jnp.arange(strips),
            axis=1,
            images=images,
        )
        return result[:, :height, :width]

    filled = jnp.pad(images, ((0, parts * images_each - batch), (0, 0), (0, 0), (0, 0)))
    filled = filled.reshape(parts, images_each, *images.shape[1:])
    result = _mapped(convolve_part, filled, axis=0, images=images)
    return result[:batch]


def kernel_gradient(images, gradient, side, at_once):
    """The gradient with respect to a kernel, by the same products, each transposed: G^T [...] G.

    Args:
        images: what was convolved, float32 `(batch, height, width, in)`.
        gradient: with respect to the result, `(batch, height, width, out)`.
        side: m.
        at_once: bytes of an array of tiles.

    Returns:
        `(3, 3, in, out)`.
    """
    batch, height, width, channels_in = images.shape
    channels_out = gradient.shape[3]
    products, reach = (side + 2) ** 2, side + 2
    columns, parts, images_each, strips, rows_each = _parts(
        images.shape, max(channels_in, channels_out), side, at_once
    )
    more = (0, parts * images_each - batch), (0, 0), (0, 0), (0, 0)
    images, gradient = jnp.pad(images, more), jnp.pad(gradient, more)
    below, right = side * strips * rows_each - height, side * columns - width
    after = both_axes(output_transform(side))

    def add_images(part, total):
        # Margins of some images at a time: with those of all memory would rise by all images.
        first = part * images_each
        some = lax.dynamic_slice_in_dim(images, first, images_each)
        some = jnp.pad(some, ((0, 0), (1, below + 1), (1, right + 1), (0, 0)))
        directions = lax.dynamic_slice_in_dim(gradient, first, images_each)
        directions = jnp.pad(directions, ((0, 0), (0, below), (0, right), (0, 0)))
        add = functools.partial(add_strip, some, directions)
        return lax.fori_loop(0, strips, add, total)

    def add_strip(images, gradient, strip, total):
        height = side * rows_each
        some = lax.dynamic_slice_in_dim(images, height * strip, height + 2, axis=1)
        tiles = lax.dynamic_slice_in_dim(gradient, height * strip, height, axis=1)
        tiles = tiles.reshape(images_each, rows_each, side, columns, side, channels_out)
        tiles = jnp.transpose(tiles, (2, 4, 0, 1, 3, 5)).reshape(side**2, -1)
        directions = (after.T @ tiles).reshape(products, -1, channels_out)
        values = _values(some, side)
        return total + lax.dot_general(values, directions, (((1,), (1,)), ((0,), (0,))))

    total = once_there(gradient, jnp.zeros((reach**2, channels_in, channels_out), images.dtype))
    total = lax.fori_loop(0, parts, add_images, total)
    in_kernel = both_axes(kernel_transform(side)).T @ total.reshape(products, -1)
    return in_kernel.reshape(KERNEL, KERNEL, channels_in, channels_out)


def transform_array(kernel, side):
    """What `algorithm.transform_kernel` makes of a kernel `(3, 3, in, out)`, by a product in float32."""
    transformed = both_axes(kernel_transform(side)) @ kernel.reshape(KERNEL**2, -1)
    return transformed.reshape(-1, *kernel.shape[2:])


def once_there(images, values):
    """Values that depend on a pixel of images, so that XLA makes them after these.

    Else it would make those of all layers of a network before anything else, and keep them.
    """
    pixel = images[0, 0, 0, 0]
    return jnp.where(pixel > jnp.inf, pixel, values)  # Never, but XLA does not know.


class _Parts(NamedTuple):
    """Columns of tiles; how many parts images are cut into, and strips of rows of tiles within each."""

    columns: int
    parts: int
    images_each: int
    strips: int
    rows_each: int


def _parts(shape, channels, side, at_once):
    """The `_Parts` of images of a shape, such that arrays of tiles of so many channels fit."""
    batch, height, width, _ = shape
    rows, columns = -(-height // side), -(-width // side)
    row_bytes = 4 * (side + 2) ** 2 * columns * channels
    return _Parts(
        columns,
        *_divided(batch, max(1, at_once // (row_bytes * rows))),
        *_divided(rows, max(1, at_once // row_bytes)),
    )


def _divided(count, most):
    """How many parts of at most so many there are, and how many are in each, the last filled up."""
    parts = -(-count // most)
    return parts, -(-count // parts)


def _mapped(function, parts, axis, images):
    """The results of one part of some images after the other, joined along an axis."""
    if len(parts) == 1:
        return function(parts[0])
    result = jax.eval_shape(function, parts[0])
    size = result.shape[axis]
    shape = [
        length * len(parts) if place == axis else length
        for place, length in enumerate(result.shape)
    ]
    results = once_there(images, jnp.zeros(shape, result.dtype))

    def put(place, results):
        return lax.dynamic_update_slice_in_dim(results, function(parts[place]), place * size, axis)

    return lax.fori_loop(0, len(parts), put, results)


def _convolve(padded, kernels, side):
    """Images with a margin of one pixel, side * rows + 2 pixels high."""
    batch, height, width, _ = padded.shape
    products, _, channels_out = kernels.shape
    rows, columns = (height - 2) // side, (width - 2) // side
    values = lax.dot_general(_values(padded, side), kernels, (((2,), (1,)), ((0,), (0,))))
    values = both_axes(output_transform(side)) @ values.reshape(products, -1)
    values = values.reshape(side, side, batch, rows, columns, channels_out)
    values = jnp.transpose(values, (2, 3, 0, 4, 1, 5))
    return values.reshape(batch, side * rows, side * columns, channels_out)


def _values(padded, side):
    """B^T d B, `((side + 2)^2, tiles, in)`, of images as `_convolve` takes them."""
    _, height, width, channels = padded.shape
    rows, columns = (height - 2) // side, (width - 2) // side
    strips = jnp.stack(_along(1, padded, rows, side))
    # Else XLA would compute these sums again for each of the next ones.
    strips = lax.optimization_barrier(strips)
    values = jnp.stack(_along(3, strips, columns, side), axis=1)
    return values.reshape((side + 2) ** 2, -1, channels)


def _along(axis, images, count, side):
    """B^T along an axis: side + 2 arrays, with a place on it for each of `count` tiles."""
    pixels = [
        lax.slice_in_dim(images, first, first + side * (count - 1) + 1, side, axis)
        for first in range(side + 2)
    ]
    return [
        # Of the factors many are 0.
        sum(float(factor) * pixels[place] for place, factor in enumerate(row) if factor)
        for row in input_transform(side)
    ]
