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
    padding, ones, groups = [rows // 2, columns // 2], [1, 1], 1
    options = padding, ones, ones, groups
    ordered = torch.ops.mkldnn._reorder_convolution_weight(
        kernel.permute(0, 3, 1, 2), *options, _channels_first(images_shape)
    )

    def convolve(images):
        convolved = torch.ops.mkldnn._convolution_pointwise(
            images.permute(0, 3, 1, 2), ordered, None, *options, *_NOTHING_AFTER
        )
        return convolved.permute(0, 2, 3, 1)

    return convolve


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
