"""JAX."""

import jax
import jax.numpy as jnp
import numpy as np

from .safetensors_file import read_safetensors as read_safetensors

CHANNELS_FIRST = False

INDEX = "int32"


def is_module(network):
    """See `keras_gahr._backend.foreign`; JAX's networks are functions."""
    return False


def apart(tensor):
    """See `keras_gahr._backend.foreign`; JAX's tensors stay as they are."""
    return tensor


def taken_by(function, *tensors):
    """See `keras_gahr._backend.foreign`."""
    first, *others = tensors
    try:
        jax.eval_shape(lambda x: jax.vjp(lambda x: function(x, *others), x)[0], first)
    except Exception:  # Tracers are no arrays; the function may say so in any way.
        return "arrays"
    return "derivatives"


def call_with_arrays(function, shape, *tensors):
    """See `keras_gahr._backend.foreign`."""

    def on_host(*arrays):
        return np.asarray(function(*map(np.array, arrays)), np.float32)

    result = jax.ShapeDtypeStruct(shape, jnp.float32)
    return jax.pure_callback(on_host, result, *tensors)


def leaves_of(parameters):
    """See `keras_gahr._backend.foreign`."""
    leaves, tree = jax.tree_util.tree_flatten(parameters)
    return leaves, lambda others: jax.tree_util.tree_unflatten(tree, others)
