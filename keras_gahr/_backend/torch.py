"""PyTorch."""

import functools

import keras
import torch
from torch.autograd import forward_ad

from . import torch_convolution
from .torch_program import Program

FIXED_MEMORY = 2**27
"""Bytes that a pass of a network takes whatever the size of its images."""

WORKSPACE = {
    "winograd": (1, 0),
    "convolution": (1, 0),
    "keras_convolution": (2, 2),
    "transposed": (1, 1),
    "keras_transposed": (1, 4),
}
"""See `keras_gahr._backend.jax.WORKSPACE`. Keras' own layers reorder the axes of images and results."""

TAKES_SEVERAL_STEPS = False
"""Whether `fit` can take several training steps at a time."""

KERNEL_AXES = (3, 0, 1, 2)
"""See `keras_gahr._backend.jax.KERNEL_AXES`: (out, height, width, in)."""


def compile_inference(model, function):
    """See `keras_gahr._backend.jax.compile_inference`."""
    return Program(model, function).run


def compile_jvp(model, function):
    """See `keras_gahr._backend.jax.compile_jvp`; PyTorch runs it eagerly."""

    def derivative(network, directions, x, *tensors):
        with forward_ad.dual_level():
            outputs = function(network, forward_ad.make_dual(x, directions), *tensors)
            products = forward_ad.unpack_dual(outputs).tangent
        return torch.zeros_like(outputs) if products is None else products

    return Program(model, derivative).run_eagerly


def compile_vjp(model, function):
    """See `keras_gahr._backend.jax.compile_vjp`; the graph of x is kept for all directions."""

    def network(x):
        return model(x, training=False)

    def at(*tensors):
        x, *others = keras.tree.map_structure(keras.ops.convert_to_tensor, tensors)
        x = x.detach().requires_grad_()
        with torch.enable_grad(), torch_convolution.constant_kernels():
            outputs = function(network, x, *others)

        def pull_back(directions):
            directions = keras.ops.convert_to_tensor(directions)
            (products,) = torch.autograd.grad(
                outputs, x, directions, retain_graph=True, materialize_grads=True
            )
            return products

        return pull_back

    return at


def convolve(images, kernel):
    """See `keras_gahr._backend.jax.convolve`.

    Keras copies images twice and kernels once on the way to PyTorch. In the order of these axes images
    are in PyTorch's channels_last format as they lie in memory, and so are kernels that were stored
    like this.
    """
    return run_convolution(_convolve, images, kernel)


def _convolve(images, kernel):
    on_cpu = images.dtype == torch.float32 and images.device.type == "cpu"
    # Traced for an ONNX file, a convolution is to stay one.
    if len(kernel) == 1 and on_cpu and not torch.jit.is_tracing():
        return _convolve_to_one(images, kernel)
    if torch_convolution.helps(images, kernel) and not torch.jit.is_tracing():
        return torch_convolution.convolve(images, kernel)
    return torch_convolution.plain(images, kernel)


def _convolve_to_one(images, kernel):
    """`convolve` to one channel: a product with the kernel at each pixel, then sums over neighbours.

    On a CPU that takes a third of the time of PyTorch's convolution.
    """
    batch, rows, columns, channels = images.shape
    _, height, width, _ = kernel.shape
    taps = kernel.flip(1, 2).reshape(-1, channels) @ images.reshape(batch, -1, channels).mT
    padding = height // 2, width // 2
    summed = torch.nn.functional.fold(taps, (rows, columns), (height, width), padding=padding)
    return summed.permute(0, 2, 3, 1)


def convolve_transposed(images, kernel):
    """See `keras_gahr._backend.jax.convolve_transposed`.

    As a product of matrices, which neither copies the kernels nor reorders images.
    """
    return run_convolution(_convolve_transposed, images, kernel)


def _convolve_transposed(images, kernel):
    batch, height, width, _ = images.shape
    rows, columns, out, _ = kernel.shape
    blocks = torch.einsum("bhwi,rcoi->bhrwco", images, kernel)
    return blocks.reshape(batch, rows * height, columns * width, out)


def run_convolution(convolution, images, kernel):
    """See `keras_gahr._backend.jax.run_convolution`.

    Where a processor does not multiply bfloat16, PyTorch's own loops take over ten times as long as the
    same in float32, and round each sum.
    """
    narrow = images.dtype == torch.bfloat16 and images.device.type == "cpu"
    if narrow and not _multiplies_bfloat16():
        return convolution(images.float(), kernel.float()).to(images.dtype)
    return convolution(images, kernel)


@functools.cache
def _multiplies_bfloat16():
    """Whether PyTorch hands convolutions of bfloat16 to oneDNN on this processor."""
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def average_pool(images, size):
    """See `keras_gahr._backend.jax.average_pool`, and `convolve` for the order of the axes."""
    pooled = torch.nn.functional.avg_pool2d(images.permute(0, 3, 1, 2), size)
    return pooled.permute(0, 2, 3, 1)


def devices():
    """The devices PyTorch would use, one name each."""
    if torch.cuda.is_available():
        return [
            f"cuda:{index} ({torch.cuda.get_device_name(index)})"
            for index in range(torch.cuda.device_count())
        ]
    if torch.backends.mps.is_available():
        return ["mps"]
    return ["cpu"]


def jit_compile():
    """Whether to compile a training step; tracing these networks costs more than it saves."""
    return False


def memory_available():
    """See `keras_gahr._backend.jax.memory_available`."""
    if not torch.cuda.is_available():
        return None
    free, _ = torch.cuda.mem_get_info()
    return free


def is_out_of_memory(error):
    """See `keras_gahr._backend.jax.is_out_of_memory`."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # On a CPU PyTorch has no class for it.
    told = "can't allocate memory", "not enough memory", "out of memory", "bad_alloc"
    return isinstance(error, RuntimeError) and any(words in str(error) for words in told)


def version():
    """The version of the backend."""
    return torch.__version__
