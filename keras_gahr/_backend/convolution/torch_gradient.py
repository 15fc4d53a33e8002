"""A convolution on PyTorch whose gradient with respect to its kernel is fast on processors with AVX2 only.

oneDNN's takes there two to eight times as long as the convolution itself. Here it is a product of matrices
for each entry of the kernel: of the pixels of images with a margin, shifted, and those of the gradient.
"""

import contextlib
import contextvars

import torch

_LEAST_PRODUCTS = 2**22
"""Products for each entry of a kernel from which this is faster: fewer take less than their calls."""

_constant = contextvars.ContextVar("kernels_are_constant", default=False)


@contextlib.contextmanager
def constant_kernels():
    """Within it no gradients with respect to kernels are wanted: `helps` is false."""
    token = _constant.set(True)
    try:
        yield
    finally:
        _constant.reset(token)


def helps(images, kernel):
    """Whether a gradient with respect to the kernel may be asked for, and this is the faster way to it."""
    wanted = torch.is_grad_enabled() and kernel.requires_grad and not _constant.get()
    products = images.numel() * kernel.shape[0]
    return (
        wanted
        and images.dtype == torch.float32
        and images.device.type == "cpu"
        and torch.backends.cpu.get_cpu_capability() == "AVX2"
        and products >= _LEAST_PRODUCTS
    )


def plain(images, kernel):
    """PyTorch's convolution of images `(batch, height, width, in)` and kernels `(out, rows, columns, in)`.

    Both are in the format that PyTorch calls channels_last as they lie in memory.
    """
    _, rows, columns, _ = kernel.shape
    # By way of one axis, which gives an axis of one entry its usual stride: PyTorch takes any other for
    # another format, in which it refuses its own gradients ("slow_conv2d: grad_weight must be contiguous").
    kernel = kernel.reshape(-1).view(kernel.shape)
    convolved = torch.nn.functional.conv2d(
        images.permute(0, 3, 1, 2), kernel.permute(0, 3, 1, 2), padding=(rows // 2, columns // 2)
    )
    return convolved.permute(0, 2, 3, 1)


def convolve(images, kernel):
    """The same. It can be differentiated in both modes, any number of times."""
    return _Convolution.apply(images, kernel)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(images, kernel):
        return plain(images, kernel)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, gradient):
        images, kernel = ctx.saved_tensors
        in_images = in_kernel = None
        if ctx.needs_input_grad[0]:
            # With the kernel turned round, from its outputs to its inputs.
            in_images = convolve(gradient, kernel.flip(1, 2).transpose(0, 3))
        if ctx.needs_input_grad[1]:
            in_kernel = _in_kernel(images, gradient, kernel.shape)
        return in_images, in_kernel

    @staticmethod
    def jvp(ctx, images_tangent, kernel_tangent):
        images, kernel = ctx.saved_tensors
        parts = []
        if images_tangent is not None:
            parts.append(plain(images_tangent, kernel))
        if kernel_tangent is not None:
            parts.append(plain(images, kernel_tangent))
        return sum(parts)


def _in_kernel(images, gradient, shape):
    """The gradient with respect to a kernel of a shape.

    With margins, shifted images are parts of the same rows in memory, one pixel a row; where a part goes
    beyond an image, the gradient's margin is zero.
    """
    out, rows, columns, channels = shape
    down, across = rows // 2, columns // 2
    pad = torch.nn.functional.pad
    gradient = pad(gradient, (0, 0, 0, 2 * across, 0, 2 * down))
    images = pad(images, (0, 0, across, across, down, down))
    line = images.shape[2]
    pixels = images.reshape(-1, channels)
    count = len(pixels) - 2 * down * line - 2 * across
    directions = gradient.reshape(-1, out)[:count].mT
    products = [
        directions @ pixels[row * line + column :][:count]
        for row in range(rows)
        for column in range(columns)
    ]
    return torch.stack(products, dim=1).view(shape)
