"""A convolution on JAX that is fast on a CPU where it is differentiated.

Where there are many channels, it and both of its gradients are computed by Winograd's algorithm
(`jax_tiles.py`).

XLA's gradient with respect to a kernel takes three to six times as long on a CPU as the convolution itself.
Where Winograd's does not take its place, it is here a product of matrices for each image: of the shifted
copies of its channels, which fit a processor's cache, and the other side's pixels.
"""

import jax
from jax import lax
from jax import numpy as jnp
from jax.custom_derivatives import SymbolicZero

from . import jax_tiles


@jax.custom_jvp
def convolve(images, kernel):
    """A convolution of stride 1 without bias; what lies outside counts as 0.

    Args:
        images: `(batch, height, width, in)`.
        kernel: `(rows, columns, in, out)`, with odd numbers of rows and columns.

    Returns:
        `(batch, height, width, out)`. It can be differentiated in both modes, any number of times.
    """
    return lax.conv_general_dilated(
        images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _derivative(primals, tangents):
    images, kernel = primals
    images_tangent, kernel_tangent = tangents
    in_images, in_kernel = convolve, _in_kernel
    if jax_tiles.helps(images, kernel):
        in_images = in_kernel = jax_tiles.convolve
    parts = []
    if not isinstance(images_tangent, SymbolicZero):
        parts.append(in_images(images_tangent, kernel))
    if not isinstance(kernel_tangent, SymbolicZero):
        parts.append(in_kernel(images, kernel_tangent))
    return in_images(images, kernel), sum(parts)


convolve.defjvp(_derivative, symbolic_zeros=True)


def _in_kernel(images, kernel):
    """`convolve`, written so that JAX's transpose in the kernel is the fast product."""
    channels_in, channels_out = kernel.shape[2:]
    of_one = _shift_before if channels_in <= channels_out else _shift_after
    # Recomputed: the shifted copies of all images would take as much memory as there are shifts.
    of_one = jax.checkpoint(of_one)
    # XLA's products of bfloat16 are slow on a CPU, and sums over many pixels need more digits.
    wide = kernel.astype(jnp.promote_types(kernel.dtype, jnp.float32))
    product = lax.map(lambda image: of_one(image.astype(wide.dtype), wide), images)
    return product.astype(images.dtype)


def _shift_before(image, kernel):
    """An image convolved, by shifting what goes in: for no more channels there than come out."""
    height, width, channels = image.shape
    rows, columns, _, channels_out = kernel.shape
    margins = (0, 0), (rows // 2, rows // 2), (columns // 2, columns // 2)
    padded = jnp.pad(jnp.transpose(image, (2, 0, 1)), margins)
    shifted = jnp.stack(
        [
            padded[:, row : row + height, column : column + width]
            for row in range(rows)
            for column in range(columns)
        ]
    )
    pixels = shifted.reshape(rows * columns * channels, height * width)
    product = jnp.tensordot(pixels, kernel.reshape(-1, channels_out), axes=(0, 0))
    return product.reshape(height, width, channels_out)


def _shift_after(image, kernel):
    """An image convolved, by shifting what comes out: for fewer channels there than go in."""
    height, width, channels = image.shape
    rows, columns, _, channels_out = kernel.shape
    taps = jnp.transpose(kernel, (0, 1, 3, 2)).reshape(-1, channels)
    product = jnp.tensordot(taps, image.reshape(height * width, channels), axes=(1, 1))
    # Split rather than indexed: the transpose of an index is an addition to an array of zeros.
    of_taps = lax.split(product.reshape(-1, height, width), [channels_out] * (rows * columns))
    total = 0
    for place, of_tap in enumerate(of_taps):
        row, column = divmod(place, columns)
        margins = (0, 0), (rows - 1 - row, row), (columns - 1 - column, column)
        total = total + jnp.pad(of_tap, margins)
    top, left = rows // 2, columns // 2
    return jnp.transpose(total[:, top : top + height, left : left + width], (1, 2, 0))
