"""Convolutions on JAX."""

import contextlib

import jax

from . import jax_gradient, plain

WORKSPACE = {
    "winograd": (1, 1),
    "convolution": (1, 0),
    "keras_convolution": (1, 1),
    "transposed": (1, 1),
    "keras_transposed": (1, 4),
}
"""See `keras_gahr._backend.convolution.workspace`."""

PREPARES_KERNELS = False

KERNEL_AXES = (0, 1, 2, 3)


def convolve(images, kernel):
    """See `keras_gahr._backend.convolution`."""
    if jax.default_backend() == "cpu" and jax.device_count() == 1:
        return jax_gradient.convolve(images, kernel)
    return plain.convolve(images, kernel)


convolve_constant = convolve
learning = contextlib.nullcontext


def kernel_changed(kernel):
    """See `keras_gahr._backend.convolution`."""


def own_for(images, kernel):
    """See `keras_gahr._backend.convolution`."""
    return convolve_constant


def convolve_transposed(images, kernel):
    """See `keras_gahr._backend.convolution`."""
    # As a product of matrices: in a convolution XLA takes 60 times as long on a CPU for the gradient of
    # these kernels, which would be two thirds of a training step.
    batch, height, width, _ = images.shape
    rows, columns, out, _ = kernel.shape
    blocks = jax.numpy.einsum("bhwi,rcoi->bhrwco", images, kernel)
    return blocks.reshape(batch, rows * height, columns * width, out)


convolve_transposed_constant = convolve_transposed


def compiled(function):
    """See `keras_gahr._backend.convolution`."""
    return jax.jit(function)


plain_convolve = plain.convolve
run_convolution = plain.run_convolution
average_pool = plain.average_pool
normalize = plain.normalize
rectify = plain.rectify
