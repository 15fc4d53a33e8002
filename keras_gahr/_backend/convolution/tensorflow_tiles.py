"""A convolution of 3x3 kernels on TensorFlow that is computed by Winograd's algorithm, with its gradients.

The convolution and the gradient with respect to its kernel have gradients that are made of each other, so
that they can be differentiated any number of times. Forward mode has no rule for the loop over parts of a
batch whose size is not known when it is traced, so that this is for trainings only, which go backwards.
"""

import contextvars
import math

import tensorflow as tf

from keras_gahr.within import within

from . import winograd
from .winograd import tensorflow as tiles

_AT_ONCE = 2**21
"""Bytes of an array of tiles."""

_USUAL_BATCH = 16

_LEAST_CHANNELS = 64 * 64
"""Pairs of channels from which all three together are faster than TensorFlow's."""

_learning = contextvars.ContextVar("kernels_learn", default=False)


def learning():
    """See `keras_gahr._backend.convolution`."""
    return within(_learning, True)


def is_learning():
    """Whether the context is `learning`."""
    return _learning.get()


def helps(images, kernel):
    """Whether a kernel learns, and this is faster on a CPU than TensorFlow's own, with its gradients."""
    known = None not in images.shape[1:] and images.dtype == kernel.dtype == tf.float32
    return _learning.get() and known and tile_side(images.shape, kernel.shape) is not None


def tile_side(images_shape, kernel_shape):
    """For which m tiles of m x m pixels are the fastest way through a step of training, or None.

    Args:
        images_shape: `(batch, height, width, in)`; an unknown batch is taken for one of usual size.
        kernel_shape: `(rows, columns, in, out)`.
    """
    batch, height, width, _ = images_shape
    images = _USUAL_BATCH if batch is None else batch, height, width
    if not winograd.pays_in_training(math.prod(images), kernel_shape):
        return None
    return winograd.usual_side(*kernel_shape[2:], images, _LEAST_CHANNELS)


@tf.custom_gradient
def convolve(images, kernel):
    """Images `(batch, height, width, in)` and a kernel `(3, 3, in, out)`, for which this `helps`."""

    def gradients(upstream):
        return convolve(upstream, _turned(kernel)), _kernel_gradient(images, upstream)

    return _convolved(images, kernel), gradients


@tf.custom_gradient
def _kernel_gradient(images, gradient):
    """Of images and of the gradient with respect to what they are convolved to."""

    def gradients(upstream):
        return convolve(gradient, _turned(upstream)), convolve(images, upstream)

    return _in_kernel(images, gradient), gradients


def _convolved(images, kernel):
    # Else a graph would transform the kernels of all layers before anything else, and keep them.
    with tf.control_dependencies([images]):
        kernels = tiles.transform_tensor(kernel, _side(*kernel.shape[2:]))
    return tiles.convolve_tiles(images, kernels, _AT_ONCE)


def _in_kernel(images, gradient):
    side = _side(images.shape[3], gradient.shape[3])
    return tiles.kernel_gradient(images, gradient, side, _AT_ONCE)


def _side(channels_in, channels_out):
    return winograd.fastest_side(channels_in, channels_out, least=1)


def _turned(kernel):
    """From outputs to inputs: what takes the gradient of a convolution to that of its images."""
    return tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
