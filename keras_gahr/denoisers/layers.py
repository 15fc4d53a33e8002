"""Keras's layers as the denoisers need them, computed by the backend's own functions.

On PyTorch Keras copies images twice on the way into each of these layers, there and back between two
orders of the axes, which is a sixth of the time of a training step. Files call weights by the classes of
layers, so that these are called as in Keras.

All of them compute in float32 unless they are given another `dtype`, whatever type Keras itself is set to by
keras.json or a program: weights in files are float32, and so are results.
"""

import keras
from keras import ops

from keras_gahr._backend import convolution


def image_input(channels, height=None, width=None):
    """The symbolic input of a network: images of any size unless it is given."""
    return keras.Input((height, width, channels), dtype="float32", name="noisy")


class Layer(keras.layers.Layer):
    """What the layers of this package are made of, and a class to put before one of Keras'."""

    def __init__(self, *arguments, dtype="float32", **options):
        super().__init__(*arguments, dtype=dtype, **options)


class Conv2D(Layer, keras.layers.Conv2D):
    """Any convolution; the fast way is for padding "same", stride 1 and kernels of odd sides."""

    def convolution_op(self, inputs, kernel):
        plain = self.padding == "same" and {*self.strides, *self.dilation_rate} == {1}
        if plain and all(side % 2 for side in self.kernel_size):
            return convolution.convolve(inputs, ops.transpose(kernel, convolution.KERNEL_AXES))
        kernel = ops.convert_to_tensor(kernel)
        return convolution.run_convolution(super().convolution_op, inputs, kernel)


class Conv2DTranspose(Layer, keras.layers.Conv2DTranspose):
    """Without activation; the fast way is for kernels as large as the stride."""

    convolve = staticmethod(convolution.convolve_transposed)

    def call(self, inputs):
        kernel = ops.convert_to_tensor(self.kernel)
        if self.strides == self.kernel_size:
            outputs = self.convolve(inputs, kernel)
        else:
            outputs = convolution.run_convolution(self._convolve_by_keras, inputs, kernel)
        return outputs + ops.convert_to_tensor(self.bias) if self.use_bias else outputs

    def _convolve_by_keras(self, inputs, kernel):
        return ops.conv_transpose(
            inputs, kernel, self.strides, self.padding, data_format=self.data_format
        )


class AveragePooling2D(Layer, keras.layers.AveragePooling2D):
    """For sides that are multiples of the pool's."""

    def call(self, inputs):
        return convolution.average_pool(inputs, self.pool_size)


class ReLU(Layer, keras.layers.ReLU):
    """As in Keras, of images that no other layer takes."""

    def call(self, inputs):
        if self.max_value is None and not self.negative_slope and not self.threshold:
            return convolution.rectify(inputs)
        return super().call(inputs)


class ZeroPadding2D(Layer, keras.layers.ZeroPadding2D):
    """As in Keras."""


class Concatenate(Layer, keras.layers.Concatenate):
    """As in Keras."""


class Subtract(Layer, keras.layers.Subtract):
    """As in Keras."""
