"""Keras's layers as the denoisers need them, computed by the backend's own functions.

On PyTorch Keras copies images twice on the way into each of these layers, there and back between two
orders of the axes, which is a sixth of the time of a training step. Files call weights by the classes of
layers, so that these are called as in Keras.
"""

import keras
from keras import ops

from keras_gahr import _backend


class Conv2D(keras.layers.Conv2D):
    """Any convolution; the fast way is for padding "same", stride 1 and kernels of odd sides."""

    def convolution_op(self, inputs, kernel):
        plain = self.padding == "same" and {*self.strides, *self.dilation_rate} == {1}
        if plain and all(side % 2 for side in self.kernel_size):
            return _backend.convolve(inputs, ops.transpose(kernel, _backend.KERNEL_AXES))
        kernel = ops.convert_to_tensor(kernel)
        return _backend.run_convolution(super().convolution_op, inputs, kernel)


class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Without bias and activation; the fast way is for kernels as large as the stride."""

    def call(self, inputs):
        kernel = ops.convert_to_tensor(self.kernel)
        if self.strides == self.kernel_size:
            return _backend.convolve_transposed(inputs, kernel)
        return _backend.run_convolution(self._convolve, inputs, kernel)

    def _convolve(self, inputs, kernel):
        return ops.conv_transpose(
            inputs, kernel, self.strides, self.padding, data_format=self.data_format
        )


class AveragePooling2D(keras.layers.AveragePooling2D):
    """For sides that are multiples of the pool's."""

    def call(self, inputs):
        return _backend.average_pool(inputs, self.pool_size)
