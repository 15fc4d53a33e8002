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


def number_types(function, *tensors):
    """See `keras_gahr._backend.foreign`."""
    traced = tf.function(function, autograph=False)
    try:
        graph = traced.get_concrete_function(*map(tf.convert_to_tensor, tensors)).graph
        known = graph.as_graph_def()
    except Exception:  # Whatever somebody's function raises, or a graph of more than 2 GiB.
        return set()
    nodes = [*known.node, *(node for each in known.library.function for node in each.node_def)]
    codes = {value.type for node in nodes for value in node.attr.values() if value.type}
    kinds = map(tf.dtypes.as_dtype, codes)
    return {kind.name for kind in kinds if kind.is_floating}


def product_type():
    """See `keras_gahr._backend.foreign`."""
    gpu = tf.config.list_physical_devices("GPU")
    rounded = gpu and tf.config.experimental.tensor_float_32_execution_enabled()
    return "tfloat32" if rounded else "float32"


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
