"""The training set on the device, so that a batch is only a list of indices."""

import numpy as np
from keras import ops

from keras_gahr.datasets.arrays import release, to_float
from keras_gahr.denoisers.layers import Layer

_BYTE_VALUES = to_float(np.arange(256, dtype=np.uint8))


class DeviceImages(Layer):
    """Holds images where the network computes, and looks them up within the compiled step.

    They are a weight, since JAX and XLA would copy a constant into the program, but none that belongs
    to a training: it must stay out of what is trained, saved and restored. If several devices share
    each batch, each of them holds all images.

    A call takes indices `(batch,)`, integers, and returns those images
    `(batch, height, width, channels)` as float32: uint8, which stay uint8 until then, are divided by
    255, and floats are left as they are: to the last bit what `keras_gahr.datasets.arrays.take` gives.

    Args:
        images: array `(count, height, width, channels)`, uint8 or floats; it is copied.
    """

    def __init__(self, images, **kwargs):
        super().__init__(**kwargs)
        self.images = self.add_weight(
            shape=images.shape,
            dtype=_dtype(images),
            # A copy: on a CPU the backend might go on using the caller's memory.
            initializer=lambda shape, dtype: ops.convert_to_tensor(np.array(images, dtype)),
            trainable=False,
            autocast=False,
            name="images",
        )
        release(images)
        self.build()

    def build(self, input_shape=None):
        """Nothing is left to build: the images are there."""

    def call(self, indices):
        images = ops.take(self.images, indices, axis=0)
        if self.images.dtype == "uint8":
            # By a table: compilers multiply by 1/255 instead of dividing, which rounds otherwise.
            return ops.take(_BYTE_VALUES, ops.cast(images, "int32"), axis=0)
        return images


def bytes_on_device(images):
    """How much memory `DeviceImages` takes for an array of images."""
    return images.size * np.dtype(_dtype(images)).itemsize


def _dtype(images):
    return "uint8" if images.dtype == np.uint8 else "float32"
