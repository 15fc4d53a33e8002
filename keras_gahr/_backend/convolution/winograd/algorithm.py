"""Winograd's algorithm for convolutions of 3x3 kernels, F(m x m, 3 x 3).

m x m pixels of the result, a *tile*, are sums over (m + 2) x (m + 2) pixels d of each channel. With three
matrices they are, for one kernel k (Lavin and Gray, Fast algorithms for convolutional neural networks,
CVPR 2016, equation 11),

    A^T [(G k G^T) * (B^T d B)] A,

where the product * is element by element. G k G^T is computed once for a network. For all tiles and
channels the products * are (m + 2)^2 products of matrices: for m = 4 they take 36 multiplications where
the definition takes 144.

The matrices are those of a product of polynomials that is computed from values at m + 2 points, one of them
infinity: a filter does the transposed of that with its input and its result. Everything is exact but for
rounding, which depends on the points.
"""

import functools
import math
from fractions import Fraction

import numpy as np

KERNEL = 3
"""Side of the kernels."""

POINTS = {
    2: (0, 1, -1),
    4: (0, Fraction(2, 3), Fraction(-2, 3), Fraction(3, 2), Fraction(-3, 2)),
}
"""Where polynomials are evaluated, by the side of a tile; infinity comes last.

In float32 these of m = 4 have half of the errors of the usual 0, 1, -1, 2, -2: 1.4e-6 of the result on
average, for 256 channels, where the backends' own convolutions have 0.4e-6 to 0.8e-6.
"""

_MOST_CHANNELS_OUT = 256
"""Up to which m = 4 is faster. UNets halve the sides of images where they double the channels: where more
come out, reading the larger kernels takes longer than the products with so few tiles.
"""

_MOST_AT_ONCE = 2**23
"""Bytes of an array of tiles; see `bytes_at_once`."""

_LEAST_PIXELS, _LEAST_MULTIPLIED = 1600, 2**24
"""Of all images in a step of training, and these times pairs of channels."""


def fastest_side(channels_in, channels_out, least):
    """Which m takes the shortest time on a CPU, or None where the definition does.

    Args:
        channels_in, channels_out: of the convolution.
        least: how many pairs of an input and an output channel there must be. What is done for each
            channel alone takes longer than the products where there are few.
    """
    if channels_in * channels_out < least:
        return None
    return 4 if channels_out <= _MOST_CHANNELS_OUT else 2


def pays_in_training(pixels, kernel_shape):
    """Whether there is enough of a 3x3 convolution for this algorithm where its kernel learns.

    The kernel is transformed in each step then.

    Args:
        pixels: of all images.
        kernel_shape: `(rows, columns, in, out)`.
    """
    *sides, channels_in, channels_out = kernel_shape
    multiplied = pixels * channels_in * channels_out
    return sides == [KERNEL, KERNEL] and pixels >= _LEAST_PIXELS and multiplied >= _LEAST_MULTIPLIED


def bytes_at_once(least, side, channels_in, channels_out):
    """Bytes of an array of tiles: more than `least` where kernels, which are read for each, take more."""
    kernel_bytes = 4 * (side + 2) ** 2 * channels_in * channels_out
    return max(least, min(_MOST_AT_ONCE, kernel_bytes))


def side_of(products):
    """m, where there are (m + 2)^2 products."""
    return math.isqrt(products) - KERNEL + 1


def input_transform(side):
    """B^T for one axis, float32 (m + 2, m + 2); see `both_axes`."""
    return _interpolating(POINTS[side]).astype(np.float32)


def output_transform(side):
    """A^T for one axis, float32 (m, m + 2); see `both_axes`."""
    return _values(POINTS[side], side).T.astype(np.float32)


def kernel_transform(side):
    """G for one axis, float32 (m + 2, 3); see `both_axes`."""
    return _values(POINTS[side], KERNEL).astype(np.float32)


def both_axes(transform):
    """The matrix that applies another to the rows and to the columns of a flattened tile."""
    return np.kron(transform, transform)


def transform_kernel(kernel, side):
    """G k G^T for a kernel `(3, 3, in, out)`: float32 `((m + 2)^2, in, out)`."""
    kernel = np.asarray(kernel, np.float64)
    transformed = both_axes(_values(POINTS[side], KERNEL)) @ kernel.reshape(KERNEL**2, -1)
    return transformed.reshape(-1, *kernel.shape[2:]).astype(np.float32)


def _values(points, count):
    """A or G: from `count` coefficients to values at the points and at infinity."""
    at_infinity = [0] * (count - 1) + [1]
    powers = [[point**power for power in range(count)] for point in points]
    return np.array([*powers, at_infinity], np.float64)


def _interpolating(points):
    """B^T: the coefficients, from the constant on, of polynomials that are 1 at one of the points and 0 at
    the others."""
    rows = []
    for point in points:
        others = [other for other in points if other != point]
        scale = math.prod(point - other for other in others)
        rows.append([*(root / scale for root in _with_roots(others)), 0])
    return np.array([*rows, _with_roots(points)], np.float64)


def _with_roots(points):
    return functools.reduce(np.convolve, [[-point, 1] for point in points], [Fraction(1)])
