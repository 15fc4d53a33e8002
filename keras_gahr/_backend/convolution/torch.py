"""Convolutions on PyTorch."""

import contextvars
import functools

import torch

from keras_gahr.within import within

from . import plain, torch_constant, torch_gradient, torch_norm, torch_packed, torch_to_one

WORKSPACE = {
    "winograd": (1, 0),
    "convolution": (1, 0),
    "keras_convolution": (2, 2),
    "transposed": (1, 1),
    "keras_transposed": (1, 4),
}
"""See `keras_gahr._backend.convolution.workspace`. Keras' layers reorder the axes of images and results."""

PREPARES_KERNELS = True

KERNEL_AXES = (3, 0, 1, 2)
"""(out, height, width, in)."""


def convolve(images, kernel):
    """See `keras_gahr._backend.convolution`.

    Keras copies images twice and kernels once on the way to PyTorch. In the order of these axes images
    are in PyTorch's channels_last format as they lie in memory, and so are kernels that were stored
    like this.
    """
    return run_convolution(_convolve, images, kernel)


plain_convolve = torch_gradient.plain
"""PyTorch's own, in the order of these axes: on Keras' copies it refuses some gradients."""


def _convolve(images, kernel):
    on_cpu = images.dtype == torch.float32 and images.device.type == "cpu"
    # Traced for an ONNX file, a convolution is to stay one.
    if len(kernel) == 1 and on_cpu and not torch.jit.is_tracing():
        return torch_to_one.convolve(images, kernel)
    if torch_gradient.helps(images, kernel) and not torch.jit.is_tracing():
        return torch_gradient.convolve(images, kernel)
    return torch_gradient.plain(images, kernel)


def convolve_constant(images, kernel):
    """See `keras_gahr._backend.convolution`."""
    if len(kernel) > 1 and _stays(images, kernel):
        return torch_constant.convolve(images, kernel)
    return convolve(images, kernel)


def convolve_transposed_constant(images, kernel):
    """See `keras_gahr._backend.convolution`."""
    if torch_packed.works() and _stays(images, kernel):
        return torch_constant.convolve_transposed(images, kernel)
    return convolve_transposed(images, kernel)


def _stays(images, kernel):
    """Whether a constant kernel is one: what is widened is another tensor at each call."""
    return not _widened(images) and torch_constant.helps(images, kernel)


_learning = contextvars.ContextVar("networks_learn", default=False)


def learning():
    """See `keras_gahr._backend.convolution`."""
    return within(_learning, True)


kernel_changed = torch_constant.kernel_changed


def own_for(images, kernel):
    """See `keras_gahr._backend.convolution`."""
    prepared = torch_constant.own(kernel, images.shape)
    return lambda images, kernel: prepared(images)


def convolve_transposed(images, kernel):
    """See `keras_gahr._backend.convolution`.

    As a product of matrices, which neither copies the kernels nor reorders images. On a CPU it is a
    convolution of single pixels, and so are its gradients: oneDNN takes .5 to .9 of the time of products by
    MKL.
    """
    return run_convolution(_convolve_transposed, images, kernel)


def _convolve_transposed(images, kernel):
    batch, height, width, channels = images.shape
    rows, columns, out, _ = kernel.shape
    if images.device.type == "cpu":
        pixels = torch_gradient.plain(images, kernel.reshape(-1, 1, 1, channels))
        blocks = pixels.unflatten(3, (rows, columns, out)).permute(0, 1, 3, 2, 4, 5)
    else:
        blocks = torch.einsum("bhwi,rcoi->bhrwco", images, kernel)
    return blocks.reshape(batch, rows * height, columns * width, out)


def run_convolution(convolution, images, kernel):
    """See `keras_gahr._backend.convolution`.

    Where a processor does not multiply bfloat16, PyTorch's own loops take over ten times as long as the
    same in float32, and round each sum.
    """
    if _widened(images):
        return convolution(images.float(), kernel.float()).to(images.dtype)
    return convolution(images, kernel)


def _widened(images):
    narrow = images.dtype == torch.bfloat16 and images.device.type == "cpu"
    return narrow and not _multiplies_bfloat16()


@functools.cache
def _multiplies_bfloat16():
    """Whether PyTorch hands convolutions of bfloat16 to oneDNN on this processor.

    The only use of this private name: PyTorch says it nowhere else.
    """
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def rectify(images):
    """See `keras_gahr._backend.convolution`.

    Norms do not keep their results for derivatives, and other memory would first be filled with zeros by the
    system. Results of convolutions are views, whose derivatives would be copied then, or refused.
    """
    if _learning.get() and images.grad_fn is not None and not images._is_view():
        return images.relu_()
    return torch.relu(images)


def average_pool(images, size):
    """See `keras_gahr._backend.convolution`, and `convolve` for the order of the axes."""
    pooled = torch.nn.functional.avg_pool2d(images.permute(0, 3, 1, 2), size)
    return pooled.permute(0, 2, 3, 1)


def normalize(x, gamma, epsilon):
    """See `keras_gahr._backend.convolution`."""
    chosen = torch_norm if torch_norm.helps(x) else plain
    return chosen.normalize(x, gamma, epsilon)


def compiled(function):
    """See `keras_gahr._backend.convolution`."""
    return torch.no_grad()(function)
