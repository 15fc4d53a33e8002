"""Winograd's convolution on TensorFlow."""

import math

import numpy as np
import tensorflow as tf

from .algorithm import (
    KERNEL,
    both_axes,
    input_transform,
    kernel_transform,
    output_transform,
    side_of,
    transform_kernel,
)

LEAST_CHANNELS = 128 * 128
"""Pairs of channels from which it is usually faster than TensorFlow's convolution on a CPU."""

_AT_ONCE = 2**24
"""Bytes of an array of tiles."""

_PARTS_AT_ONCE = 2
"""Of a batch whose size is not known before: while one is gathered, another is multiplied."""


def on_cpu():
    """See `keras_gahr._backend.convolution.winograd`."""
    return not tf.config.get_visible_devices("GPU")


def constant(kernel, side):
    """See `keras_gahr._backend.convolution.winograd`."""
    return convolve_tiles, tf.constant(transform_kernel(kernel, side))


def convolve_tiles(images, kernels, at_once=_AT_ONCE):
    """See `keras_gahr._backend.convolution.winograd`; at_once are the bytes of an array of tiles.

    The number of images need not be known before they are there; their sides must be.
    """
    _, height, width, channels_in = images.shape
    products, _, channels_out = kernels.shape
    side = side_of(products)
    tiles = _Tiles(height, width, side, max(channels_in, channels_out), at_once)

    def convolve_part(part):
        pixels = tiles.pixels(part)
        strips = [
            _convolve(pixels, numbers, kernels, side) for numbers in tiles.strips(part.shape[0])
        ]
        shape = part.shape[0], side * tiles.rows, side * tiles.columns, channels_out
        return tf.reshape(tf.concat(strips, 0), shape)[:, :height, :width]

    if images.shape[0] is not None:
        return convolve_part(images)
    parts = tiles.parts(images)
    result = tf.map_fn(
        lambda numbers: convolve_part(_some(images, numbers)),
        parts,
        parallel_iterations=_PARTS_AT_ONCE,
        fn_output_signature=tf.TensorSpec((parts.shape[1], height, width, channels_out)),
    )
    return tf.reshape(result, (-1, height, width, channels_out))[: tf.shape(images)[0]]


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
    _, height, width, channels_in = images.shape
    channels_out = gradient.shape[3]
    products = (side + 2) ** 2
    tiles = _Tiles(height, width, side, max(channels_in, channels_out), at_once)

    def with_part(total, numbers):
        some, of_some = _some(images, numbers), _some(gradient, numbers)
        there = tf.reshape(tf.cast(numbers < tf.shape(images)[0], images.dtype), (-1, 1, 1, 1))
        pixels, directions = tiles.pixels(some), tiles.result_pixels(there * of_some)
        strips = zip(tiles.strips(some.shape[0]), tiles.result_strips(some.shape[0]), strict=True)
        for of_tiles, of_results in strips:
            values = _values(pixels, of_tiles, side)
            gathered = tf.reshape(
                tf.gather(directions, tf.reshape(of_results, [-1])), (side**2, -1)
            )
            after = both_axes(output_transform(side)).T @ gathered
            after = tf.reshape(after, (products, -1, channels_out))
            total += tf.matmul(values, after, transpose_a=True)
        return total

    with tf.control_dependencies([gradient]):  # Not before it is needed.
        nothing = tf.zeros((products, channels_in, channels_out))
    total = tf.foldl(
        with_part,
        tiles.parts(images),
        nothing,
        parallel_iterations=_PARTS_AT_ONCE,
    )
    in_kernel = both_axes(kernel_transform(side)).T @ tf.reshape(total, (products, -1))
    return tf.reshape(in_kernel, (KERNEL, KERNEL, channels_in, channels_out))


def transform_tensor(kernel, side):
    """What `algorithm.transform_kernel` makes of a kernel `(3, 3, in, out)`, by a product in float32."""
    transformed = both_axes(kernel_transform(side)) @ tf.reshape(kernel, (KERNEL**2, -1))
    return tf.reshape(transformed, (-1, *kernel.shape[2:]))


class _Tiles:
    """Tiles of images of a size, and which of their pixels are in which tile.

    Args:
        height, width: of the images.
        side: m.
        channels: the most that an array of tiles has.
        at_once: bytes of such an array.
    """

    def __init__(self, height, width, side, channels, at_once):
        self._sizes = height, width
        self._side = side
        self.rows, self.columns = -(-height // side), -(-width // side)
        row_bytes = 4 * (side + 2) ** 2 * self.columns * channels
        self._rows_at_once = max(1, at_once // row_bytes)
        images = max(1, self._rows_at_once // self.rows)
        # A power of 2, as most batches are: what is missing in the last part is computed all the same.
        self._images_at_once = 2 ** (images.bit_length() - 1)

    def parts(self, images):
        """The numbers of images, `(parts, images at once)`, in the last part beyond those that are there."""
        count = -(-tf.shape(images)[0] // self._images_at_once) * self._images_at_once
        return tf.reshape(tf.range(count), (-1, self._images_at_once))

    def pixels(self, images):
        """All pixels `(pixels, channels)` of images with margins."""
        height, width = self._with_margins()
        margins = (1, height - 1 - self._sizes[0]), (1, width - 1 - self._sizes[1])
        return tf.reshape(tf.pad(images, ((0, 0), *margins, (0, 0))), (-1, images.shape[3]))

    def strips(self, batch):
        """For some rows of tiles at a time the numbers of their pixels, `((m + 2)^2, rows, columns)`."""
        return self._numbers(batch, self._with_margins(), self._side + 2)

    def result_pixels(self, results):
        """The same as `pixels` of results, which tiles do not share."""
        height, width = self._side * self.rows, self._side * self.columns
        margins = (0, height - self._sizes[0]), (0, width - self._sizes[1])
        return tf.reshape(tf.pad(results, ((0, 0), *margins, (0, 0))), (-1, results.shape[3]))

    def result_strips(self, batch):
        """The same as `strips`, `(m^2, rows, columns)`."""
        return self._numbers(batch, (self._side * self.rows, self._side * self.columns), self._side)

    def _with_margins(self):
        return self.rows * self._side + 2, self.columns * self._side + 2

    def _numbers(self, batch, sizes, reach):
        """Pixels by number: the first one of each tile, and from there those of the tile."""
        numbers = np.arange(batch * math.prod(sizes), dtype=np.int32).reshape(batch, *sizes)
        starts = (
            slice(None, self._side * count, self._side) for count in (self.rows, self.columns)
        )
        firsts = numbers[:, *starts].reshape(-1, self.columns)
        inside = numbers[0, :reach, :reach].reshape(-1, 1, 1)
        for first in range(0, len(firsts), self._rows_at_once):
            # Added when it runs: programs would hold as many numbers as an image has in all tiles.
            yield tf.constant(inside) + firsts[first : first + self._rows_at_once]


def _some(images, numbers):
    """Images by number; beyond the last one, that one again.

    Cut out one part at a time, since parts of all images together would be a copy of them.
    """
    return tf.gather(images, tf.minimum(numbers, tf.shape(images)[0] - 1))


def _values(pixels, numbers, side):
    """B^T d B of the tiles of some rows, `((side + 2)^2, tiles, in)`."""
    # Gathered by number, which takes half the time of cutting tiles out or transposing them.
    values = tf.gather(pixels, tf.reshape(numbers, [-1]))
    products = numbers.shape[0]
    values = both_axes(input_transform(side)) @ tf.reshape(values, (products, -1))
    return tf.reshape(values, (products, -1, pixels.shape[1]))


def _convolve(pixels, numbers, kernels, side):
    """Some rows of tiles, `(rows * side * columns * side, out)`."""
    products, _, channels_out = kernels.shape
    _, rows, columns = numbers.shape
    values = _values(pixels, numbers, side) @ kernels
    values = both_axes(output_transform(side)) @ tf.reshape(values, (products, -1))
    places = np.arange(side**2 * rows * columns, dtype=np.int32)
    places = places.reshape(side, side, rows, columns).transpose(2, 0, 3, 1).ravel()
    return tf.gather(tf.reshape(values, (-1, channels_out)), places)
