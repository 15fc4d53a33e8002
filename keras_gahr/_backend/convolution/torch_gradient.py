"""A convolution on PyTorch that is fast on a CPU while its kernel learns.

Where there are many channels, it and both of its gradients may be faster by Winograd's algorithm: they are
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
from .choice import as_in_a_network, fastest
from .winograd import torch as tiles

_LEAST_PRODUCTS = 2**22
"""Products for each entry of a kernel from which anything else than PyTorch's own is faster: fewer take less
than their calls."""

_BYTES = 2**23
"""Of images that are measured, or of what they are convolved to, at most: as in a training of more, they
leave a core's own cache."""

SHIFTED = "a product for each entry of the kernel"
"""The name of `_by_shifts` among the ways to a gradient."""

_constant = contextvars.ContextVar("kernels_are_constant", default=False)


def constant_kernels():
    """A context in which no gradients with respect to kernels are wanted: `helps` is false."""
    return within(_constant, True)


def helps(images, kernel):
    """Whether a gradient with respect to the kernel may be asked for, and something here is faster."""
    wanted = torch.is_grad_enabled() and kernel.requires_grad and not _constant.get()
    if not wanted or images.dtype != torch.float32 or images.device.type != "cpu":
        return False
    ways = {way(images.shape, kernel.shape) for way in (way_to_convolve, way_to_gradient)}
    return ways != {winograd.OWN}


def way_to_convolve(images_shape, kernel_shape):
    """The name of the fastest of `winograd.WAYS` to a convolution in a step of training.

    The gradient with respect to its images is another one, with as many channels in as this one has out.

    Args:
        images_shape: `(batch, height, width, in)`.
        kernel_shape: `(out, rows, columns, in)`.
    """
    if not _by_tiles(images_shape, kernel_shape):
        return winograd.OWN
    usual = _usual_tiles(images_shape, kernel_shape) or winograd.OWN
    return _fastest("learning", winograd.WAYS, usual, _convolve_by, images_shape, kernel_shape)


def way_to_gradient(images_shape, kernel_shape):
    """The same of the gradient with respect to its kernel: one of `winograd.WAYS`, or `SHIFTED`."""
    batch, height, width, channels = images_shape
    if batch * height * width * channels * kernel_shape[0] < _LEAST_PRODUCTS:
        return winograd.OWN
    names, usual = [winograd.OWN, SHIFTED], None
    if _by_tiles(images_shape, kernel_shape):
        names, usual = [*winograd.WAYS, SHIFTED], _usual_tiles(images_shape, kernel_shape)
    if usual is None:
        only_avx2 = torch.backends.cpu.get_cpu_capability() == "AVX2"
        usual = SHIFTED if only_avx2 else winograd.OWN
    return _fastest("gradient of", names, usual, _differentiate_by, images_shape, kernel_shape)


def _by_tiles(images_shape, kernel_shape):
    """Whether Winograd's algorithm may be the fastest."""
    batch, height, width, channels = images_shape
    out, rows, columns, _ = kernel_shape
    return channels * out >= winograd.LEAST_MEASURED and winograd.pays_in_training(
        batch * height * width, (rows, columns, channels, out)
    )


def _usual_tiles(images_shape, kernel_shape):
    """The name of the way by tiles where nothing is measured, or None."""
    side = winograd.usual_side(images_shape[3], kernel_shape[0], images_shape[:3])
    return side and winograd.name_of(side)


def _fastest(task, names, usual, compute, images_shape, kernel_shape):
    if torch.compiler.is_compiling():
        return usual
    batch, height, width, channels = images_shape
    out, rows, columns, _ = kernel_shape
    pixels = batch * height * width
    length = winograd.measured_side(channels, out, pixels)
    # A power of two, so that few batches are measured.
    count = min(pixels // length**2, _BYTES // (4 * length**2 * max(channels, out)))
    count = 2 ** (max(1, count).bit_length() - 1)
    measured = (count, length, length, channels)
    ways = {
        name: functools.partial(_prepare, compute, name, measured, kernel_shape) for name in names
    }
    batch = f"{channels} to {out} channels, {count} of {length}x{length} pixels"
    question = f"{task} {rows}x{columns} kernels, {batch}"
    return fastest(question, ways, usual, winograd.factors((height, width), length), computes)


def _prepare(compute, way, images_shape, kernel_shape):
    """A function of no arguments that times `compute(way, images, gradient, kernel)`."""
    rng = np.random.default_rng(0)
    shapes = images_shape, (*images_shape[:3], kernel_shape[0]), kernel_shape
    tensors = [torch.from_numpy(rng.standard_normal(shape, np.float32)) for shape in shapes]
    computing = torch.no_grad()(functools.partial(compute, way, *tensors))
    return as_in_a_network(computing, tensors[0])


def _convolve_by(way, images, gradient, kernel):
    return _convolved_by(way, images, kernel)


def _differentiate_by(way, images, gradient, kernel):
    return _in_kernel_by(way, images, gradient, kernel.shape)


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
    return _convolved_by(way_to_convolve(images.shape, kernel.shape), images, kernel)


def _convolved_by(way, images, kernel):
    side = winograd.WAYS[way]
    return plain(images, kernel) if side is None else tiles.convolve_once(images, kernel, side)


def _in_kernel(images, gradient, shape):
    """The gradient with respect to a kernel of a shape."""
    return _in_kernel_by(way_to_gradient(images.shape, shape), images, gradient, shape)


def _in_kernel_by(way, images, gradient, shape):
    if way == SHIFTED:
        return _by_shifts(images, gradient, shape)
    side = winograd.WAYS[way]
    if side is not None:
        return tiles.kernel_gradient(images, gradient, side).permute(3, 0, 1, 2)
    out, rows, columns, channels = shape
    in_kernel = torch.nn.grad.conv2d_weight(
        images.permute(0, 3, 1, 2),
        (out, channels, rows, columns),
        gradient.permute(0, 3, 1, 2),
        padding=(rows // 2, columns // 2),
    )
    return in_kernel.permute(0, 2, 3, 1)


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
