"""Winograd's convolution on PyTorch."""

import functools
from typing import NamedTuple

import torch

from .. import torch_packed
from .algorithm import (
    both_axes,
    bytes_at_once,
    input_transform,
    kernel_transform,
    output_transform,
    side_of,
    transform_kernel,
)

LEAST_CHANNELS = 64 * 64
"""Pairs of channels from which it is usually faster than PyTorch's convolution on a CPU."""

_AT_ONCE = 2**20
"""Bytes of an array of tiles, or more; larger ones leave a core's cache, or the heap for new pages."""


def on_cpu():
    """See `keras_gahr._backend.convolution.winograd`."""
    return not (torch.cuda.is_available() or torch.backends.mps.is_available())


def compute(images: torch.Tensor, kernels: torch.Tensor, rectified: bool = False) -> torch.Tensor:
    """See `keras_gahr._backend.convolution.winograd.convolve_tiles`.

    Args:
        images, kernels: as there.
        rectified: whether 0 takes the place of negative results.
    """
    products, _, channels_out = kernels.shape
    side = side_of(products)
    convolve = functools.partial(_convolve, kernels=kernels, side=side, rectified=rectified)
    return _by_parts(convolve, images, side, channels_out)


def _by_parts(convolve, images, side, channels_out):
    """A function that is as `_convolve`, of all parts of images, put together."""
    batch, height, width, _ = images.shape
    rows, columns = -(-height // side), -(-width // side)
    result = images.new_empty(batch, rows, side, columns, side, channels_out)
    for some, strip, padded in _parts(images, side, channels_out):
        result[some, strip] = convolve(padded)
    result = result.view(batch, rows * side, columns * side, channels_out)
    return result[:, :height, :width].contiguous()


def constant(kernel, side):
    """See `keras_gahr._backend.convolution.winograd`."""
    return lambda images, prepared: prepared(images), prepared(kernel, side)


def prepared(kernel, side):
    """A function of images, and of `rectified`, as `compute` is, for one kernel.

    Args:
        kernel: `(3, 3, in, out)`, a NumPy array.
        side: m.
    """
    if torch_packed.multiplies():
        columns_first = kernel.transpose(1, 0, 3, 2)
        return _Packed(
            lambda: torch.from_numpy(transform_kernel(columns_first, side)), kernel.shape[2:], side
        )
    return functools.partial(compute, kernels=torch.from_numpy(transform_kernel(kernel, side)))


@torch.library.custom_op("keras_gahr::winograd_once", mutates_args=())
def convolve_once(images: torch.Tensor, kernel: torch.Tensor, side: int) -> torch.Tensor:
    """A convolution with a kernel that has other values the next time.

    Args:
        images: as for `compute`.
        kernel: `(out, 3, 3, in)`.
        side: m.
    """
    if not torch_packed.multiplies():
        return compute(images, transform_tensor(kernel.permute(1, 2, 3, 0), side))
    columns_first = kernel.permute(2, 1, 0, 3)
    transformed = functools.partial(transform_tensor, columns_first, side)
    return _Packed(transformed, (kernel.shape[3], len(kernel)), side)(images)


@convolve_once.register_fake
def _(images, kernel, side):
    return images.new_empty(*images.shape[:3], len(kernel))


class _Packed:
    """With the transformed kernel in each order that oneDNN wants: there are one or two, for few and many.

    Args:
        transformed: a function that makes the transformed kernel, of each tile the columns first,
            `((m + 2)^2, out, in)`.
        channels: in and out.
        side: m.
    """

    def __init__(self, transformed, channels, side):
        self._transformed = transformed
        self._channels = channels
        self._side = side
        self._products = {}

    def __call__(self, images, rectified=False):
        convolve = functools.partial(self._convolve, rectified=rectified)
        return _by_parts(convolve, images, self._side, self._channels[1])

    def _convolve(self, padded, rectified):
        side = self._side
        batch, height, width, channels = padded.shape
        reach, rows, columns = side + 2, height // side - 1, (width - 2) // side
        before, after = _transforms(side).before, _transforms(side).after
        # Of each tile the columns first, so that its numbers stay together.
        tiles = _tiles(padded, side).permute(2, 3, 4, 1, 0, 5).reshape(-1, reach, reach * channels)
        count = len(tiles)
        values = torch.bmm(before.expand(count, -1, -1), tiles).view(count, reach**2, channels)
        values = torch.bmm(after.expand(count, -1, -1), self._products_for(count)(values))
        if rectified:
            values.relu_()
        values = values.view(batch, rows, columns, side, side, -1)
        return values.permute(0, 1, 4, 2, 3, 5)

    def _products_for(self, count):
        reach = self._side + 2
        order = torch_packed.order_of_products(count, reach**2, *self._channels)
        if order not in self._products:
            self._products[order] = torch_packed.packed_products(self._transformed(), count)
        return self._products[order]


# One operator, so that its parts are not written out in an exported program.
convolve_tiles = torch.library.custom_op("keras_gahr::winograd", compute, mutates_args=())


@convolve_tiles.register_fake
def _(images, kernels, rectified=False):
    return images.new_empty(*images.shape[:3], kernels.shape[2])


@torch.library.custom_op("keras_gahr::winograd_kernel_gradient", mutates_args=())
def kernel_gradient(images: torch.Tensor, gradient: torch.Tensor, side: int) -> torch.Tensor:
    """The gradient with respect to a kernel, by the same products, each transposed: G^T [...] G.

    Args:
        images: what was convolved, float32 `(batch, height, width, in)`.
        gradient: with respect to the result, `(batch, height, width, out)`.
        side: m.

    Returns:
        `(3, 3, in, out)`.
    """
    _, height, width, channels_in = images.shape
    channels_out = gradient.shape[3]
    rows, columns = -(-height // side), -(-width // side)
    if (rows * side, columns * side) != (height, width):
        right, below = columns * side - width, rows * side - height
        gradient = torch.nn.functional.pad(gradient, (0, 0, 0, right, 0, below))
    gradient = gradient.unflatten(2, (columns, side)).unflatten(1, (rows, side))
    products = (side + 2) ** 2
    total = images.new_zeros(products, channels_in, channels_out)
    for some, strip, padded in _parts(images, side, channels_out):
        tiles = gradient[some, strip].permute(2, 4, 0, 1, 3, 5).reshape(side**2, -1)
        directions = (_transforms(side).after.mT @ tiles).view(products, -1, channels_out)
        total.baddbmm_(_values(padded, side).mT, directions)
    in_kernel = _transforms(side).kernel.mT @ total.view(products, -1)
    return in_kernel.view(3, 3, channels_in, channels_out)


@kernel_gradient.register_fake
def _(images, gradient, side):
    return images.new_empty(3, 3, images.shape[3], gradient.shape[3])


def transform_tensor(kernel, side):
    """What `algorithm.transform_kernel` makes of a kernel `(3, 3, ...)`, by a product in float32."""
    transformed = _transforms(side).kernel @ kernel.reshape(9, -1)
    return transformed.view(-1, *kernel.shape[2:])


def _parts(images, side, channels_out):
    """Which images, which rows of their tiles, and the pixels of these; see `_values` for the latter."""
    batch, height, width, channels_in = images.shape
    products, rows, columns = (side + 2) ** 2, -(-height // side), -(-width // side)
    row_bytes = 4 * products * columns * max(channels_in, channels_out)
    at_once = bytes_at_once(_AT_ONCE, side, channels_in, channels_out)
    images_at_once = _alike(batch, at_once // (row_bytes * rows))
    rows_at_once = _alike(rows, at_once // row_bytes)
    for image in range(0, batch, images_at_once):
        some = slice(image, image + images_at_once)
        padded = _with_margins(images[some], side * (rows + 1), side * columns + 2)
        for top in range(0, rows, rows_at_once):
            bottom = min(rows, top + rows_at_once)
            yield some, slice(top, bottom), padded[:, side * top : side * (bottom + 1)]


def _alike(count, most):
    """How many of `count` are in a part, at most `most`, or 1, if parts are as much alike as they can be."""
    parts = max(1, -(-count // max(1, most)))
    return max(1, -(-count // parts))


def _with_margins(images, height, width):
    """Larger images, with one pixel of zeros before; PyTorch's own function fills them all with zeros."""
    batch, inner_height, inner_width, channels = images.shape
    padded = images.new_empty(batch, height, width, channels)
    padded[:, 0] = 0
    padded[:, inner_height + 1 :] = 0
    padded[:, 1:-1, 0] = 0
    padded[:, 1:-1, inner_width + 1 :] = 0
    padded[:, 1 : inner_height + 1, 1 : inner_width + 1] = images
    return padded


def _convolve(padded, kernels, side, rectified):
    """From what `_values` takes to `(batch, rows, side, columns, side, out)`."""
    batch, height, width, _ = padded.shape
    products, _, channels_out = kernels.shape
    rows, columns = height // side - 1, (width - 2) // side
    values = torch.bmm(_values(padded, side), kernels)
    values = _transforms(side).after @ values.view(products, -1)
    if rectified:
        values.relu_()
    values = values.view(side, side, batch, rows, columns, channels_out)
    return values.permute(2, 3, 0, 4, 1, 5)


def _values(padded, side):
    """B^T d B, `((side + 2)^2, tiles, in)`, of images as for `_tiles`."""
    reach, channels = side + 2, padded.shape[3]
    tiles = _tiles(padded, side).reshape(reach, reach, -1)
    return (_transforms(side).before @ tiles).view(reach**2, -1, channels)


def _tiles(padded, side):
    """B^T d, `(side + 2, side + 2, batch, rows, columns, in)`, of images with a margin of one pixel.

    They are `side * (rows + 1)` pixels high, and one after the other in memory.
    """
    batch, height, width, channels = padded.shape
    rows, columns, reach = height // side - 1, (width - 2) // side, side + 2
    # All rows of tiles, below each other; where an image ends, one belongs to none.
    line, count = width * channels, batch * (rows + 1) - 1
    strips = padded.as_strided((count, reach, line), (side * line, line, 1))
    strips = torch.bmm(_transforms(side).before.expand(count, -1, -1), strips)
    return strips.as_strided(
        (reach, reach, batch, rows, columns, channels),
        (line, channels, (rows + 1) * reach * line, reach * line, side * channels, 1),
    )


class _Transforms(NamedTuple):
    """B^T for one axis, A^T and G for both at once: as fast as one after the other, with fewer calls."""

    before: torch.Tensor
    after: torch.Tensor
    kernel: torch.Tensor


@functools.cache
def _transforms(side):
    of_both = both_axes(output_transform(side)), both_axes(kernel_transform(side))
    return _Transforms(*map(torch.from_numpy, (input_transform(side), *of_both)))
