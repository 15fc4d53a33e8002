"""A convolution on PyTorch that is fast on a CPU while its kernel learns.

Where there are many channels, it and both of its gradients are computed by Winograd's algorithm: they are
three products of matrices for each entry of a tile.

On processors with AVX2 only, oneDNN's gradient with respect to a kernel takes two to eight times as long as
the convolution itself. Where that is measured and Winograd's does not take its place, it is here a product of
matrices for each entry of the kernel: of the pixels of images with a margin, shifted, and those of the
gradient.
"""

import contextvars
import functools

import numpy as np
import torch

from keras_gahr.within import within

from . import winograd
from .choice import fastest
from .winograd import torch as tiles

_LEAST_PRODUCTS = 2**22
"""Products for each entry of a kernel from which this is faster: fewer take less than their calls."""

_SHIFTED = "a product for each entry of the kernel"
"""The name of `_by_shifts` among the ways; the convolution itself is then PyTorch's own."""

_constant = contextvars.ContextVar("kernels_are_constant", default=False)


def constant_kernels():
    """A context in which no gradients with respect to kernels are wanted: `helps` is false."""
    return within(_constant, True)


def helps(images, kernel):
    """Whether a gradient with respect to the kernel may be asked for, and this is the faster way to it."""
    wanted = torch.is_grad_enabled() and kernel.requires_grad and not _constant.get()
    on_cpu = images.dtype == torch.float32 and images.device.type == "cpu"
    return wanted and on_cpu and _way(images.shape, kernel.shape) != winograd.OWN


def tile_side(images_shape, kernel_shape):
    """For which m tiles of m x m pixels are the fastest way through a step of training, or None.

    For the convolution, and for the gradient with respect to its kernel. The gradient with respect to its
    images is a convolution with as many channels in as this one has out.

    Args:
        images_shape: `(batch, height, width, in)`.
        kernel_shape: `(out, rows, columns, in)`.
    """
    return winograd.WAYS.get(_way(images_shape, kernel_shape))


def _way(images_shape, kernel_shape):
    """The name of the fastest way: `winograd.OWN`, another of `winograd.WAYS`, or `_SHIFTED`."""
    batch, height, width, _ = images_shape
    out, rows, columns, channels = kernel_shape
    pixels, pairs = batch * height * width, channels * out
    if pixels * pairs < _LEAST_PRODUCTS:
        return winograd.OWN
    names, longer = [winograd.OWN, _SHIFTED], None
    usual = _SHIFTED if torch.backends.cpu.get_cpu_capability() == "AVX2" else winograd.OWN
    by_tiles = pairs >= winograd.LEAST_MEASURED and winograd.pays_in_training(
        pixels, (rows, columns, channels, out)
    )
    if by_tiles:
        names = [*winograd.WAYS, _SHIFTED]
        side = winograd.usual_side(channels, out, images_shape[:3])
        usual = usual if side is None else winograd.name_of(side)
        longer = winograd.factors((height, width), winograd.measured_side(channels, out))
    if torch.compiler.is_compiling():
        return usual
    ways = {name: functools.partial(_prepare, name, kernel_shape, not by_tiles) for name in names}
    few = "" if by_tiles else ", few pixels"
    question = f"training, {rows}x{columns} kernels, {channels} to {out} channels{few}"
    return fastest(question, ways, usual, longer, computes)


def _prepare(way, kernel_shape, few_pixels):
    """A function that computes a convolution and the gradient with respect to its kernel."""
    out, _, _, channels = kernel_shape
    batch, pixels = (1, 32) if few_pixels else (2, winograd.measured_side(channels, out))
    rng = np.random.default_rng(0)
    images, gradient, kernel = (
        torch.from_numpy(rng.standard_normal(shape, np.float32))
        for shape in ((batch, pixels, pixels, channels), (batch, pixels, pixels, out), kernel_shape)
    )
    side = winograd.WAYS.get(way)

    def own():
        with torch.enable_grad():
            torch.autograd.grad(plain(images, kernel.requires_grad_()), kernel, gradient)

    def ours():
        with torch.no_grad():
            _convolved_by(side, images, kernel)
            _in_kernel_by(side, images, gradient, kernel_shape)

    return own if way == winograd.OWN else ours


def computes():
    """Whether there are numbers and derivatives of them, not where functions are transformed or exported."""
    try:
        return type(torch.zeros(1).requires_grad_()) is torch.Tensor
    except RuntimeError:
        return False


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
    generate_vmap_rule = True

    @staticmethod
    def forward(images, kernel):
        return _convolved(images, kernel)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, gradient):
        images, kernel = ctx.saved_tensors
        in_images = in_kernel = None
        if ctx.needs_input_grad[0]:
            in_images = convolve(gradient, _turned(kernel))
        if ctx.needs_input_grad[1]:
            in_kernel = _KernelGradient.apply(images, gradient, kernel.shape)
        return in_images, in_kernel

    @staticmethod
    def jvp(ctx, images_tangent, kernel_tangent):
        images, kernel = ctx.saved_tensors
        return _product_rule(_convolved, (images, kernel), (images_tangent, kernel_tangent))


class _KernelGradient(torch.autograd.Function):
    """Of images and of the gradient with respect to what they are convolved to."""

    generate_vmap_rule = True

    @staticmethod
    def forward(images, gradient, shape):
        return _in_kernel(images, gradient, shape)

    @staticmethod
    def setup_context(ctx, inputs, output):
        images, gradient, ctx.shape = inputs
        ctx.save_for_backward(images, gradient)
        ctx.save_for_forward(images, gradient)

    @staticmethod
    def backward(ctx, kernel):
        images, gradient = ctx.saved_tensors
        in_images = in_gradient = None
        if ctx.needs_input_grad[0]:
            in_images = convolve(gradient, _turned(kernel))
        if ctx.needs_input_grad[1]:
            in_gradient = convolve(images, kernel)
        return in_images, in_gradient, None

    @staticmethod
    def jvp(ctx, images_tangent, gradient_tangent, _):
        def in_kernel(images, gradient):
            return _in_kernel(images, gradient, ctx.shape)

        return _product_rule(in_kernel, ctx.saved_tensors, (images_tangent, gradient_tangent))


def _turned(kernel):
    """From outputs to inputs: what takes the gradient of a convolution to that of its images."""
    return kernel.flip(1, 2).transpose(0, 3)


def _product_rule(product, factors, tangents):
    """The tangent of a product of two factors, of which either may have none."""
    (first, second), (first_tangent, second_tangent) = factors, tangents
    parts = []
    if first_tangent is not None:
        parts.append(product(first_tangent, second))
    if second_tangent is not None:
        parts.append(product(first, second_tangent))
    return sum(parts)


def _convolved(images, kernel):
    return _convolved_by(tile_side(images.shape, kernel.shape), images, kernel)


def _convolved_by(side, images, kernel):
    if side is None:
        return plain(images, kernel)
    return tiles.convolve_tiles(images, tiles.transform_tensor(kernel.permute(1, 2, 3, 0), side))


def _in_kernel(images, gradient, shape):
    """The gradient with respect to a kernel of a shape."""
    return _in_kernel_by(tile_side(images.shape, shape), images, gradient, shape)


def _in_kernel_by(side, images, gradient, shape):
    if side is None:
        return _by_shifts(images, gradient, shape)
    return tiles.kernel_gradient(images, gradient, side).permute(3, 0, 1, 2)


def _by_shifts(images, gradient, shape):
    """A product for each entry of the kernel.

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
