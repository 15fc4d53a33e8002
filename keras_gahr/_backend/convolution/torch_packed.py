"""Kernels on PyTorch in the order that oneDNN computes with.

PyTorch's own convolution brings its kernel into that order at each call, which takes longer than the rest for
one small image. It has no public name for a kernel that stays so: there are those that compiled programs use.
"""

import functools

import torch


def packed(kernel, images_shape):
    """A function of images of a shape, `(batch, height, width, in)`, that convolves them.

    Args:
        kernel: `(out, rows, columns, in)`, float32 or bfloat16.
        images_shape: the shape; which order is the best depends on it.
    """
    batch, height, width, channels = images_shape
    _, rows, columns, _ = kernel.shape
    padding, ones, groups = [rows // 2, columns // 2], [1, 1], 1
    options = padding, ones, ones, groups
    ordered = torch.ops.mkldnn._reorder_convolution_weight(
        kernel.permute(0, 3, 1, 2), *options, [batch, channels, height, width]
    )

    def convolve(images):
        convolved = torch.ops.mkldnn._convolution_pointwise(
            images.permute(0, 3, 1, 2), ordered, None, *options, "none", [], ""
        )
        return convolved.permute(0, 2, 3, 1)

    return convolve


@functools.cache
def works():
    """Whether this PyTorch has the private names that `packed` uses, and they compute a convolution.

    It may be built without oneDNN, or another version may have changed them.
    """
    images, kernel = torch.arange(32.0).view(1, 4, 4, 2), torch.arange(54.0).view(3, 3, 3, 2)
    expected = torch.nn.functional.conv2d(
        images.permute(0, 3, 1, 2), kernel.permute(0, 3, 1, 2), padding=1
    )
    try:
        found = packed(kernel, images.shape)(images)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return torch.allclose(found.permute(0, 3, 1, 2), expected)
