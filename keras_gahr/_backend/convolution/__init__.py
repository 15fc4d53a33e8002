"""Convolutions, and the norm after them, as each backend computes them fastest; one module per backend.

All that is here for the sake of time can be turned off by one switch (`switch.py`): Winograd's algorithm,
the gradients of kernels on PyTorch and JAX, transposed convolutions as products, PyTorch's ways for norms,
for one channel and for bfloat16, and its exported programs (`torch_program.py`).
"""

import importlib

import keras

from . import plain
from .switch import VARIABLE as VARIABLE
from .switch import plain_convolutions as plain_convolutions

_module = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

KERNEL_AXES = _module.KERNEL_AXES
"""How `convolve` wants the axes of a Keras kernel, (height, width, in, out), permuted."""

PREPARES_KERNELS = _module.PREPARES_KERNELS
"""Whether `convolve_constant` keeps kernels as its fastest way wants them, Winograd's among these."""


def convolve(images, kernel):
    """A convolution of stride 1 without bias, for inference and training.

    Args:
        images: `(batch, height, width, in)`.
        kernel: of odd sides, its axes permuted by `KERNEL_AXES`.

    Returns:
        Images of the same size, `(batch, height, width, out)`; what lies outside counts as 0.
    """
    chosen = _module.plain_convolve if plain_convolutions() else _module.convolve
    return chosen(images, kernel)


def learning():
    """A context in which a network with one output learns, and derivatives are taken backwards only.

    On TensorFlow Winograd's algorithm computes them then, and on PyTorch `rectify` writes over images.
    """
    return _module.learning()


def convolve_constant(images, kernel):
    """`convolve` for inference with a kernel that stays the same, tensor and values, for many calls.

    On PyTorch what it is computed with is then made once. After a change of values `kernel_changed` must be
    called.
    """
    chosen = _module.plain_convolve if plain_convolutions() else _module.convolve_constant
    return chosen(images, kernel)


def kernel_changed(kernel):
    """Says that a kernel which was called constant has other values from now on."""
    _module.kernel_changed(kernel)


def own_for(images, kernel):
    """The function of images of this shape and this kernel that `convolve_constant` is without Winograd."""
    return _module.own_for(images, kernel)


def convolve_transposed(images, kernel):
    """A transposed convolution without bias whose stride is the kernel's size.

    Args:
        images: `(batch, height, width, in)`.
        kernel: `(rows, columns, out, in)`, as Keras has it.

    Returns:
        `(batch, rows * height, columns * width, out)`.
    """
    return _fastest().convolve_transposed(images, kernel)


def convolve_transposed_constant(images, kernel):
    """`convolve_transposed` with a kernel as for `convolve_constant`."""
    return _fastest().convolve_transposed_constant(images, kernel)


def run_convolution(convolution, images, kernel):
    """`convolution(images, kernel)`, in float32 if the processor computes that much faster.

    Args:
        convolution: any kind of convolution, or another function that is linear in both.
        images, kernel: of one number type, which is that of the result.
    """
    return _fastest().run_convolution(convolution, images, kernel)


def rectify(images):
    """The images with 0 in place of what is negative.

    While a network learns they may be written over, so that nothing else may take what a ReLU does.
    """
    return _fastest().rectify(images)


def average_pool(images, size):
    """Means over blocks of images `(batch, height, width, channels)`, whose sides they divide.

    Args:
        images: the images.
        size: (rows, columns) of a block.
    """
    return _fastest().average_pool(images, size)


def normalize(x, gamma, epsilon):
    """gamma x / sd for each channel, where sd = sqrt(var + epsilon) is that of the whole batch.

    Args:
        x: images `(batch, height, width, channels)`.
        gamma: float32 `(channels,)`.
        epsilon: a number.

    Returns:
        What is normalized, in the number type of x; and sd, float32 `(channels,)`, which is a constant for
        derivatives.
    """
    return _fastest().normalize(x, gamma, epsilon)


def workspace(kind):
    """How often the bytes of its images and of its results a convolution takes beside these, at most.

    As measured. Of a transposed convolution of 4x4 pixels and stride 2 the products with each of its
    taps take four times its result.

    Args:
        kind: "winograd", "convolution" for `convolve`, "transposed" for `convolve_transposed`, or
            "keras_convolution" and "keras_transposed" for Keras' layers.
    """
    if kind == "transposed" and plain_convolutions():
        kind = "keras_transposed"
    return _module.WORKSPACE[kind]


def compiled(function):
    """A function of tensors as it is computed for inference, without a network around it."""
    return _module.compiled(function)


def _fastest():
    return plain if plain_convolutions() else _module
