"""Winograd's convolution on PyTorch."""

import functools

import torch

from .algorithm import both_axes, fastest_side, input_transform, output_transform, side_of

_LEAST_CHANNELS = 64 * 64
"""Pairs of channels from which it is faster than PyTorch's convolution on a CPU."""

_AT_ONCE = 2**22
"""Bytes of an array of tiles; larger ones leave the cache, or the heap for new pages."""


def tile_side(channels_in, channels_out):
    """See `keras_gahr._backend.convolution.winograd`."""
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        return None
    return fastest_side(channels_in, channels_out, _LEAST_CHANNELS)


@torch.library.custom_op("keras_gahr::winograd", mutates_args=())
def convolve_tiles(images: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
    """See `keras_gahr._backend.convolution.winograd`.

    One operator, so that the parts are not written out in an exported program.
    """
    batch, height, width, channels_in = images.shape
    products, _, channels_out = kernels.shape
    side = side_of(products)
    rows, columns = -(-height // side), -(-width // side)
    row_bytes = 4 * products * columns * max(channels_in, channels_out)
    images_at_once = max(1, _AT_ONCE // (row_bytes * rows))
    rows_at_once = max(1, _AT_ONCE // row_bytes)
    result = images.new_empty(batch, rows, side, columns, side, channels_out)
    for image in range(0, batch, images_at_once):
        some = slice(image, image + images_at_once)
        padded = _with_margins(images[some], side * (rows + 1), side * columns + 2)
        for top in range(0, rows, rows_at_once):
            bottom = min(rows, top + rows_at_once)
            strip = padded[:, side * top : side * (bottom + 1)]
            result[some, top:bottom] = _convolve(strip, kernels, side)
    result = result.view(batch, rows * side, columns * side, channels_out)
    return result[:, :height, :width].contiguous()


@convolve_tiles.register_fake
def _(images, kernels):
    return images.new_empty(*images.shape[:3], kernels.shape[2])


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


def _convolve(padded, kernels, side):
    """From images with a margin, above and left of one pixel, to `(batch, rows, side, columns, side, out)`.

    They are `side * (rows + 1)` pixels high, and one after the other in memory.
    """
    batch, height, width, channels_in = padded.shape
    products, _, channels_out = kernels.shape
    rows, columns, reach = height // side - 1, (width - 2) // side, side + 2
    before, after = _transforms(side)
    # All rows of tiles, below each other; where an image ends, one belongs to none.
    line, count = width * channels_in, batch * (rows + 1) - 1
    strips = padded.as_strided((count, reach, line), (side * line, line, 1))
    strips = torch.bmm(before.expand(count, -1, -1), strips)
    tiles = strips.as_strided(
        (reach, reach, batch, rows, columns, channels_in),
        (line, channels_in, (rows + 1) * reach * line, reach * line, side * channels_in, 1),
    )
    values = before @ tiles.reshape(reach, reach, -1)
    values = torch.bmm(values.view(products, -1, channels_in), kernels)
    values = after @ values.view(products, -1)
    return values.view(side, side, batch, rows, columns, channels_out).permute(2, 3, 0, 4, 1, 5)


@functools.cache
def _transforms(side):
    """B^T for one axis, A^T for both at once: as fast as one after the other there, with fewer calls."""
    return (
        torch.from_numpy(input_transform(side)),
        torch.from_numpy(both_axes(output_transform(side))),
    )
