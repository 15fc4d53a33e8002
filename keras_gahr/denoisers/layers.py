"""Keras's layers as the denoisers need them, computed by the backend's own functions.

On PyTorch Keras copies images twice on the way into each of these layers, there and back between two
orders of the axes, which is a sixth of the time of a training step. Files call weights by the classes of
layers, so that these are called as in Keras.
"""

import keras
from keras import ops

from keras_gahr import _backend


class Conv2D(keras.layers.Conv2D):
    """For padding "same", stride 1 and kernels of odd sides."""

    def convolution_op(self, inputs, kernel):
        return _backend.convolve(inputs, ops.transpose(kernel, _backend.KERNEL_AXES))


class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """For kernels as large as the stride, without bias."""

    def call(self, inputs):
        return _backend.convolve_transposed(inputs, ops.convert_to_tensor(self.kernel))


class AveragePooling2D(keras.layers.AveragePooling2D):
    """For sides that are multiples of the pool's."""

    def call(self, inputs):
        return _backend.average_pool(inputs, self.pool_size)
