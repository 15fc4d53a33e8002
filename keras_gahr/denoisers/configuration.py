"""What a config.json says of a denoiser, checked before it is built, or before it is written."""

import inspect
import json
import reprlib
from collections import Counter
from collections.abc import Mapping
from types import NoneType

import keras
import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.names import reason_of

_PACKAGE = "keras_gahr"
_OF_ALL = {
    "name": (str,),
    "provenance": (dict, NoneType),
    "seed": (int, NoneType),
}

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def quoted_value(value):
    """A value from a file, short and without control characters."""
    return _SHORT.repr(value)


def plain_values(value):
    """A copy of nested values, in which dictionaries, lists and numbers are those of Python.

    What Keras makes of a dictionary that a model has belongs to that model, and cannot be pickled.
    """
    if isinstance(value, Mapping):
        return {name: plain_values(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain_values(part) for part in value]
    if isinstance(value, tuple):
        return tuple(plain_values(part) for part in value)
    return value.item() if isinstance(value, np.generic) else value


def objects_in(configuration):
    """All dictionaries in nested values of a file, which may be nested to any depth."""
    parts = [configuration]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            yield part
            parts.extend(part.values())
        elif isinstance(part, list):
            parts.extend(part)


def denoiser_class(configuration):
    """The class that a configuration names, as `keras.saving.serialize_keras_object` writes it.

    Only what a program has registered is known, and only denoisers under this package's name; nothing
    that the file names is imported.

    Raises:
        ValueError: if it names something else.
    """
    if not isinstance(configuration, dict):
        raise ValueError("its config.json describes no object of Keras")
    if configuration.get("compile_config"):
        raise ValueError("a part of it was compiled for training by Keras: build it again without")
    name = configuration.get("registered_name")
    module = configuration.get("module")
    if not isinstance(name, str) or not name.startswith(f"{_PACKAGE}>"):
        named = name if name is not None else configuration.get("class_name")
        raise ValueError(
            f"it holds a {quoted_value(named)}, expected one of this package's denoisers"
        )
    found = registered_denoiser(name.partition(">")[2])
    if configuration.get("class_name") != found.__name__ or not isinstance(module, str | NoneType):
        raise ValueError(
            f"it calls a {found.__name__} {quoted_value(configuration.get('class_name'))}"
        )
    return found


def registered_denoiser(name):
    """The denoiser that is registered under this package's name.

    Raises:
        ValueError: if there is none.
    """
    from .denoiser import Denoiser

    found = keras.saving.get_registered_object(f"{_PACKAGE}>{name}")
    if found is None:
        # Those of a room that builds on this one, and is slow to load, are registered by it.
        import keras_gahr.baselines  # noqa: F401

        found = keras.saving.get_registered_object(f"{_PACKAGE}>{name}")
    if not inspect.isclass(found) or not issubclass(found, Denoiser):
        raise ValueError(
            f"it holds a {quoted_value(name)}, expected one of this package's denoisers"
        )
    return found


def stored_shapes(configuration):
    """The shapes of all arrays that a denoiser of this configuration has, before it is built.

    Raises:
        ValueError: for classes that are no denoisers, options that the class does not have or of another
            type, and networks that are too large to make sense.
    """
    found = denoiser_class(configuration)
    options = configuration.get("config")
    if not isinstance(options, dict):
        raise ValueError(f"it has no options of a {found.__name__}")
    return found.stored_shapes(options)


def check_stored_options(options, kinds):
    """Raises `ValueError` unless all options are known and of their kinds.

    Args:
        options: what `get_config` of a denoiser returned, from a file.
        kinds: types by names, besides those of all denoisers.
    """
    kinds = {**kinds, **_OF_ALL}
    for name, value in options.items():
        if name not in kinds:
            raise ValueError(
                f"it has the option {quoted_value(name)}, expected some of {', '.join(kinds)}"
            )
        if type(value) not in kinds[name]:
            expected = " or ".join(kind.__name__ for kind in kinds[name])
            raise ValueError(f"it has {name} = {quoted_value(value)}, expected {expected}")


def check_readable(denoiser):
    """Raises `InputError` unless the `.keras` file of a denoiser of this kind could be read again.

    A class of the user's own lacks easily what reading needs, and that is best said before a training.
    """
    from .denoiser import Denoiser

    kind = type(denoiser)
    missing = []
    if not keras.saving.get_registered_name(kind).startswith(f"{_PACKAGE}>"):
        missing.append(f'@keras.saving.register_keras_serializable("{_PACKAGE}") above its class')
    says_shapes = kind.stored_shapes.__func__ is not Denoiser.stored_shapes.__func__
    if not says_shapes and kind.weight_shapes is Denoiser.weight_shapes:
        missing.append("its weight_shapes")
    if missing:
        raise InputError(
            f"received a {kind.__name__}, whose .keras file could not be read again: add "
            f"{' and '.join(missing)}"
        )
    try:
        configuration = json.loads(json.dumps(keras.saving.serialize_keras_object(denoiser)))
        said = Counter(map(tuple, stored_shapes(configuration)))
        if said != Counter(tuple(variable.shape) for variable in denoiser.variables):
            raise ValueError("the shapes that it says are not those of its weights")
    except Exception as error:  # The code of somebody else raises anything.
        raise InputError(
            f"received a {kind.__name__}, whose .keras file could not be read again: {reason_of(error)}"
        ) from error
