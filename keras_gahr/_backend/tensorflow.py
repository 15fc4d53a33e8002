"""TensorFlow."""

import keras
import tensorflow as tf

KERNEL_AXES = (0, 1, 2, 3)
"""See `keras_gahr._backend.jax.KERNEL_AXES`."""


def compile_inference(model, function):
    """See `keras_gahr._backend.jax.compile_inference`."""

    def network(x):
        return model(x, training=False)

    compiled = tf.function(
        lambda *tensors: function(network, *tensors), jit_compile=jit_compile(), autograph=False
    )

    def run(*tensors):
        # Python numbers would be traced anew for every value.
        return compiled(*keras.tree.map_structure(tf.convert_to_tensor, tensors))

    return run


def convolve(images, kernel):
    """See `keras_gahr._backend.jax.convolve`."""
    return keras.ops.conv(images, kernel, padding="same", data_format="channels_last")


def devices():
    """The devices TensorFlow would use, one name each."""
    return [
        f"{device.device_type}:{index}"
        for index, device in enumerate(tf.config.get_visible_devices())
    ]


def jit_compile():
    """Whether a training step is faster compiled by XLA: on a GPU yes, on a CPU it takes twice as long."""
    return bool(tf.config.get_visible_devices("GPU"))


def version():
    """The version of the backend."""
    return tf.__version__
