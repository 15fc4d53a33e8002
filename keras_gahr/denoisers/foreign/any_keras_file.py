"""A .keras file of any Keras model, which may be anybody's."""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path
from types import NoneType
from typing import Any

import keras

from keras_gahr import _backend
from keras_gahr.errors import InputError
from keras_gahr.files import check_regular
from keras_gahr.impostors import impostor
from keras_gahr.names import reason_of

from ..configuration import objects_in, quoted_value
from ..keras_file import check_arrays
from .keras_graph import check_graph, watched

_FAMILIES = re.compile(
    r"keras\.src\.(models|ops|initializers|regularizers|constraints|activations|dtype_policies|"
    r"layers\.(activations|attention|convolutional|core|merging|normalization|pooling|regularization|"
    r"reshaping|rnn|preprocessing\.normalization|preprocessing\.rescaling))(\.|$)"
)
"""Where Keras' own classes are that only compute: none that reads files or holds code of others."""

_VALUES = {"__keras_tensor__", "__numpy__", "__tensor__", "__slice__", "__ellipsis__"}
"""Names in the place of classes under which Keras keeps plain values."""

_NOT_KEPT = ("bfloat16", "float8")


def load_keras_file(path: Path) -> keras.Model:
    """The model in a .keras file, of any architecture; nothing of the file is executed.

    Its layers must be Keras' own, or registered by the running program, and none may hold code (`Lambda`)
    or read other files. Before it is built the shapes of its weights are compared with what the file holds,
    and nothing is computed while it is; see `keras_graph.check_work` for what it computes when it is called.

    Raises:
        InputError: for anything else.
    """
    check_regular(path, "a .keras file")
    if not zipfile.is_zipfile(path):
        raise impostor(path, "a .keras file", {"zip"}) or InputError(f"{path} is not a .keras file")
    try:
        with warnings.catch_warnings():
            # What Keras warns of in a foreign or damaged file is in the error that follows.
            warnings.simplefilter("ignore")
            check_arrays(path, _shapes)
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the damaged part happened to cause.
        if _backend.is_out_of_memory(error):
            raise
        raise InputError(f"{path} cannot be read as a Keras model: {reason_of(error)}") from error
    if not isinstance(model, keras.Model):
        raise InputError(f"{path} holds a {type(model).__name__}, expected a model")
    return model


def check_objects(value: Any) -> dict[str, Any]:
    """The registered classes that a configuration names, by the names that they are registered under.

    Raises:
        ValueError: if it names such as `load_keras_file` does not take.
    """
    found: dict[str, Any] = {}
    for part in objects_in(value):
        if "class_name" in part:
            _check_object(part, found)
    return found


def _check_object(named, found):
    name, registered = named["class_name"], named.get("registered_name")
    if type(name) is not str or not isinstance(registered, str | NoneType):
        raise ValueError(f"it has an object {quoted_value(name)}")
    known = keras.saving.get_registered_object(registered) if registered else None
    if known is not None:
        found[registered] = known
    if name in _VALUES or known is not None:
        return
    if name == "function":
        name = named.get("config")
        own = named.get("module") in {None, "builtins", "keras.activations"}
        if own and type(name) is str and callable(getattr(keras.activations, name, None)):
            return
        raise ValueError(f"it holds the function {quoted_value(name)}, which nobody has registered")
    if name in {"Lambda", "__lambda__"}:
        raise ValueError("it holds a Lambda layer, whose code is not executed: build it as a layer")
    if _is_of_keras(named.get("module"), name):
        return
    raise ValueError(
        f"it holds a {quoted_value(registered or name)}, which is none of Keras' layers that compute: "
        "register its class by keras.saving.register_keras_serializable before"
    )


def _is_of_keras(module, name):
    """Whether a class is one of those families, by the names that a file gives."""
    if type(module) is not str or not name.isidentifier():
        return False
    if module.startswith("keras.src."):
        return _FAMILIES.match(module) is not None
    parts, found = module.split("."), keras
    if parts[0] != "keras":
        return False
    for part in [*parts[1:], name]:
        if part.startswith("_"):
            return False
        found = getattr(found, part, None)
    return isinstance(found, type) and _FAMILIES.match(found.__module__) is not None


def _shapes(configuration):
    """The shapes of all arrays of a model, before any is made; raises `ValueError` as `check_objects`.

    Keras makes no arrays within such a scope until they are asked for. What it notes of them stays with the
    thread that builds it, and ends with it.
    """
    # What is registered may be so for the thread that asks only.
    registered = check_objects(configuration)
    check_graph(configuration)

    def build():
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object(
                configuration, custom_objects=registered, safe_mode=True
            )
            return [(tuple(variable.shape), str(variable.dtype)) for variable in model.weights]

    weights = watched(build)
    # HDF5 has no such numbers; Keras keeps their bytes, which are not looked into.
    if odd := next((name for _, name in weights if name.startswith(_NOT_KEPT)), None):
        raise ValueError(f"its weights are in {odd}, which is not read: save it in float32")
    return [shape for shape, _ in weights]
