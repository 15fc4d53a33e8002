"""JAX."""

import re

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from .safetensors_file import read_safetensors as read_safetensors

CHANNELS_FIRST = False

INDEX = "int32"

_NUMBER_TYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"}
"""By their names in what JAX prints; of others they are the types' own, with f for float."""


def is_module(network):
    """See `keras_gahr._backend.foreign`; JAX's networks are functions."""
    return False


def apart(tensor):
    """See `keras_gahr._backend.foreign`; JAX's tensors stay as they are."""
    return tensor


def taken_by(function, *tensors):
    """See `keras_gahr._backend.foreign`."""
    first, *others = tensors

    def of_first(x):
        return function(x, *others)

    def pulled_back(x, directions):
        return jax.vjp(of_first, x)[1](directions)

    try:
        directions = jax.eval_shape(of_first, first)
        program = jax.make_jaxpr(pulled_back)(first, directions).jaxpr
    except Exception:  # Tracers are no arrays; the function may say so in any way.
        return "arrays"
    return "derivatives" if _depends_on(program, program.invars[1]) else "tensors"


def number_types(function, *tensors):
    """See `keras_gahr._backend.foreign`."""
    try:
        shown = str(jax.make_jaxpr(function)(*tensors))
    except Exception:  # Whatever somebody's function raises.
        return set()
    names = set(re.findall(r"\b(b?f\d+(?:_\w+)?)\[", shown))
    return {_NUMBER_TYPES.get(name, name.replace("f", "float", 1)) for name in names}


def product_type():
    """See `keras_gahr._backend.foreign`."""
    where, said = jax.default_backend(), jax.config.jax_default_matmul_precision
    if where == "cpu" or said in {"float32", "highest"}:
        return "float32"
    coarse = where == "tpu" or said in {"bfloat16", "fastest"}
    return "bfloat16" if coarse else "tfloat32"


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


def _depends_on(program, variable):
    """Whether what a program returns is computed from one of its variables."""
    reached = {variable}
    for equation in program.eqns:
        if not reached.isdisjoint(_variables(equation.invars)):
            reached.update(equation.outvars)
    return not reached.isdisjoint(_variables(program.outvars))


def _variables(values):
    return [value for value in values if not isinstance(value, Literal)]
