"""Kernels on PyTorch in the order that oneDNN computes with.

PyTorch's own convolutions bring their kernels into that order at each call, which takes longer than the rest
for one small image. It has no public name for a kernel that stays so: there are those that compiled programs
use.
"""

import functools

import torch

_NOTHING_AFTER = "none", [], ""
"""What oneDNN does with results. Its own ReLU makes 0 of NaN, so that failures would look well."""


def packed(kernel, images_shape):
    """A function that convolves images of a shape, `(batch, height, width, in)`.

    Args:
        kernel: `(out, rows, columns, in)`, float32 or bfloat16.
        images_shape: the shape; which order is the best depends on it.
    """
    _, rows, columns, _ = kernel.shape
    options = [rows // 2, columns // 2], [1, 1], [1, 1], 1
    ordered = _in_order(kernel.permute(0, 3, 1, 2), options, _channels_first(images_shape))

    def convolve(images):
        return _convolved(images.permute(0, 3, 1, 2), ordered, options).permute(0, 2, 3, 1)

    return convolve


def _in_order(kernel, options, images_shape):
    """A kernel `(out, in, rows, columns)` for images of a shape with channels first."""
    return torch.ops.mkldnn._reorder_convolution_weight(kernel, *options, images_shape)


def _convolved(images, ordered, options):
    return torch.ops.mkldnn._convolution_pointwise(images, ordered, None, *options, *_NOTHING_AFTER)


def packed_transposed(kernel, images_shape):
    """The same for a transposed convolution whose stride is the size of its kernel.

    Args:
        kernel: `(rows, columns, out, in)`, float32 or bfloat16.
        images_shape: as for `packed`.
    """
    rows, columns, _, _ = kernel.shape
    nothing, strides, ones, groups = [0, 0], [rows, columns], [1, 1], 1
    options = nothing, nothing, strides, ones, groups
    ordered = torch.ops.mkldnn._reorder_convolution_transpose_weight(
        kernel.permute(3, 2, 0, 1).contiguous(), *options, _channels_first(images_shape)
    )

    def convolve(images):
        convolved = torch.ops.mkldnn._convolution_transpose_pointwise(
            images.permute(0, 3, 1, 2), ordered, None, *options, *_NOTHING_AFTER
        )
        return convolved.permute(0, 2, 3, 1)

    return convolve


def packed_products(matrices, rows):
    """A function from `(rows, count, in)` to `(rows, count, out)`: products with `count` matrices.

    It is a convolution of single pixels in groups, which on some processors is more than twice as fast as
    the products of matrices that PyTorch takes from MKL.

    Args:
        matrices: `(count, out, in)`, float32.
        rows: how many rows; the function is as fast for others of the same `order_of_products`.
    """
    count, out, channels = matrices.shape
    options = [0, 0], [1, 1], [1, 1], count
    kernel = matrices.reshape(count * out, channels, 1, 1)
    ordered = _in_order(kernel, options, [1, count * channels, 1, rows])

    def multiply(values):
        pixels = values.view(1, 1, len(values), count * channels).permute(0, 3, 1, 2)
        products = _convolved(pixels, ordered, options)
        return products.permute(0, 2, 3, 1).reshape(len(values), count, out)

    return multiply


def _channels_first(images_shape):
    batch, height, width, channels = images_shape
    return [batch, channels, height, width]


@functools.cache
def works():
    """Whether this PyTorch has the private names that are used here, and they compute what they should.

    It may be built without oneDNN, or another version may have changed them.
    """
    images = torch.arange(32.0).view(1, 4, 4, 2)
    kernel, larger = torch.arange(54.0).view(3, 3, 3, 2), torch.arange(24.0).view(2, 2, 3, 2)
    first = images.permute(0, 3, 1, 2)
    expected = torch.nn.functional.conv2d(first, kernel.permute(0, 3, 1, 2), padding=1)
    transposed = torch.nn.functional.conv_transpose2d(first, larger.permute(3, 2, 0, 1), stride=2)
    try:
        found = packed(kernel, images.shape)(images)
        enlarged = packed_transposed(larger, images.shape)(images)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return torch.allclose(found.permute(0, 3, 1, 2), expected) and torch.allclose(
        enlarged.permute(0, 3, 1, 2), transposed
    )


@functools.cache
def multiplies():
    """Whether `packed_products` works, and PyTorch tells orders apart."""
    if not works():
        return False
    values, matrices = torch.arange(24.0).view(3, 2, 4), torch.arange(40.0).view(2, 5, 4)
    try:
        order_of_products(*values.shape, 5)
        found = packed_products(matrices, len(values))(values)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return torch.allclose(found, torch.einsum("tpi,poi->tpo", values, matrices))


def order_of_products(rows, count, channels, out):
    """The order that oneDNN wants matrices in for `packed_products`, as it describes it itself.

    It depends on the number of rows. Matrices in another order are brought into it at each call, which took
    up to 170 times as long.
    """
    return _order_of_products(rows, count, channels, out, torch.get_num_threads())


@functools.lru_cache(maxsize=4096)
def _order_of_products(rows, count, channels, out, threads):
    # The threads are asked for by oneDNN itself, and here since each number of them is remembered by itself.
    options = [0, 0], [1, 1], [1, 1], count
    kernel = torch.zeros(count * out, channels, 1, 1)
    ordered = _in_order(kernel, options, [1, count * channels, 1, rows])
    return bytes(torch.ops.mkldnn._get_mkldnn_serialized_md(ordered).tolist())
