"""Convolutions by Keras' own operations, without any trick; kernels as Keras has them."""

import keras


def convolve(images, kernel):
    """A convolution of stride 1, its kernel `(rows, columns, in, out)`."""
    return keras.ops.conv(images, kernel, padding="same", data_format="channels_last")


def convolve_transposed(images, kernel):
    """A transposed convolution whose stride is the size of its kernel `(rows, columns, out, in)`."""
    strides = kernel.shape[:2]
    return keras.ops.conv_transpose(images, kernel, strides, data_format="channels_last")


convolve_transposed_constant = convolve_transposed


def run_convolution(convolution, images, kernel):
    """In the number type of its arguments."""
    return convolution(images, kernel)


def average_pool(images, size):
    """Means over blocks of a size."""
    return keras.ops.average_pool(images, size, strides=size, data_format="channels_last")


def normalize(x, gamma, epsilon):
    """By standard deviations in float32."""
    _, variance = keras.ops.moments(keras.ops.cast(x, "float32"), axes=(0, 1, 2))
    sd = keras.ops.sqrt(variance + epsilon)
    return x * keras.ops.cast(gamma / sd, x.dtype), keras.ops.stop_gradient(sd)


def rectify(images):
    """See `keras_gahr._backend.convolution`."""
    return keras.ops.relu(images)
