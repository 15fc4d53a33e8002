"""TensorFlow."""

import keras
import numpy as np
import tensorflow as tf

from .safetensors_file import read_safetensors as read_safetensors

CHANNELS_FIRST = False

INDEX = "int64"


def is_module(network):
    """See `keras_gahr._backend.foreign`; TensorFlow's networks are Keras models or functions."""
    return False


def apart(tensor):
    """See `keras_gahr._backend.foreign`; TensorFlow's tensors stay as they are."""
    return tensor


def taken_by(function, *tensors):
    """See `keras_gahr._backend.foreign`."""
    first, *others = map(tf.convert_to_tensor, tensors)

    @tf.function(autograph=False)
    def differentiated(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = function(x, *others)
        if not tf.is_tensor(outputs):
            raise TypeError("no tensor")
        return outputs if tape.gradient(outputs, x) is None else ()

    try:
        cut_off = differentiated.get_concrete_function(first).structured_outputs
    except Exception:  # Symbolic tensors are no arrays; the function may say so in any way.
        return "arrays"
    return "derivatives" if isinstance(cut_off, tuple) else "tensors"


def call_with_arrays(function, shape, *tensors):
    """See `keras_gahr._backend.foreign`."""

    def on_host(*arrays):
        return np.asarray(function(*map(np.array, arrays)), np.float32)

    found = tf.numpy_function(on_host, tensors, tf.float32)
    found.set_shape([side if isinstance(side, int) else None for side in shape])
    return found


def leaves_of(parameters):
    """See `keras_gahr._backend.foreign`."""
    leaves = keras.tree.flatten(parameters)
    return leaves, lambda others: keras.tree.pack_sequence_as(parameters, others)
