"""Settings of experiments: frozen dataclasses, which may be made of parts that are such themselves.

Whoever names a setting, on the command line, in a table or in a report, names the field alone, in whatever
part it is: no two fields of the settings of an experiment have one name.
"""

import dataclasses
import fractions
import types
import typing

from keras_gahr.errors import InputError
from keras_gahr.options.option import type_in_words


def field_types(kind):
    """The types of all fields of a class of settings by name, those of its parts in their place."""
    found = {}
    for name, hint in typing.get_type_hints(kind).items():
        fields = field_types(hint) if dataclasses.is_dataclass(hint) else {name: hint}
        twice = found.keys() & fields.keys()
        if twice:
            raise TypeError(f"{kind.__name__} has two settings {twice.pop()}")
        found |= fields
    return found


def replaced(settings, **values):
    """Settings with the values of some fields changed, in whatever parts they are.

    Raises:
        TypeError: for a field that is not there.
    """
    unknown = values.keys() - field_types(type(settings)).keys()
    if unknown:
        raise TypeError(f"{type(settings).__name__} has no setting {unknown.pop()}")
    changed = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            own = values.keys() & field_types(type(value)).keys()
            changed[field.name] = replaced(value, **{name: values[name] for name in own})
        elif field.name in values:
            changed[field.name] = values[field.name]
    return dataclasses.replace(settings, **changed)


def flattened(settings):
    """The values of all fields by name, those of the parts in their place."""
    found = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        found |= flattened(value) if dataclasses.is_dataclass(value) else {field.name: value}
    return found


def parse_assignments(texts):
    """The names and texts of a list of `NAME=VALUE`.

    Raises:
        InputError: for anything else, or a name that is there twice.
    """
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or not name:
            raise InputError(f"received {text!r}, expected NAME=VALUE such as epochs=10")
        if name in found:
            raise InputError(f"received {name} twice: leave one out")
        found[name] = value.strip()
    return found


def override(settings, texts):
    """Settings with some fields changed.

    Args:
        settings: a frozen dataclass, perhaps made of parts.
        texts: values as text, by the name of the field: 10, 0.5, 25/255, true, none, or 1,10,100 for
            several.

    Raises:
        InputError: for a field that is not there, or a text that is not of its type.
    """
    hints = field_types(type(settings))
    values = {}
    for name, text in texts.items():
        if name not in hints:
            raise InputError(f"received setting {name!r}, expected one of {', '.join(hints)}")
        try:
            values[name] = _parse(text, hints[name])
        except (ValueError, ZeroDivisionError) as error:
            raise InputError(
                f"received {name} = {text!r}, expected {type_in_words(hints[name])}"
            ) from error
    return replaced(settings, **values)


def _parse(text, kind):
    if isinstance(kind, types.UnionType):
        kinds = typing.get_args(kind)
        if type(None) in kinds and text.lower() == "none":
            return None
        for each in kinds:
            try:
                return _parse(text, each)
            except ValueError:
                continue
        raise ValueError(text)
    if typing.get_origin(kind) is tuple:
        each = typing.get_args(kind)[0]
        return tuple(_parse(part.strip(), each) for part in text.split(",") if part.strip())
    if kind is bool:
        if text.lower() not in {"true", "false"}:
            raise ValueError(text)
        return text.lower() == "true"
    if kind is float:
        return float(fractions.Fraction(text))
    if kind is int:
        return int(text)
    if kind is str:
        return text
    raise ValueError(text)
