"""Convolutions on TensorFlow, whose own are the fastest but for Winograd's."""

import tensorflow as tf

from . import plain, tensorflow_norm, tensorflow_tiles

WORKSPACE = {
    "winograd": (1, 1),
    "convolution": (1, 0),
    "keras_convolution": (2, 2),
    "transposed": (1, 1),
    "keras_transposed": (1, 4),
}
"""See `keras_gahr._backend.convolution.workspace`."""

PREPARES_KERNELS = False

KERNEL_AXES = (0, 1, 2, 3)

convolve_constant = plain_convolve = plain.convolve
convolve_transposed_constant = convolve_transposed = plain.convolve_transposed
run_convolution = plain.run_convolution
average_pool = plain.average_pool
rectify = plain.rectify


def convolve(images, kernel):
    """See `keras_gahr._backend.convolution`."""
    if tensorflow_tiles.helps(images, kernel):
        return tensorflow_tiles.convolve(images, kernel)
    return plain.convolve(images, kernel)


learning = tensorflow_tiles.learning


def normalize(x, gamma, epsilon):
    """See `keras_gahr._backend.convolution`."""
    fast = tensorflow_tiles.is_learning() and x.dtype == tf.float32
    return (tensorflow_norm if fast else plain).normalize(x, gamma, epsilon)


def kernel_changed(kernel):
    """See `keras_gahr._backend.convolution`."""


def own_for(images, kernel):
    """See `keras_gahr._backend.convolution`."""
    return convolve_constant


def compiled(function):
    """See `keras_gahr._backend.convolution`."""
    return tf.function(function)
