"""How a network of somebody else's is had again: where it is, and what it was wrapped with.

A recipe is a JSON file that holds no code and no weights. It says where they are and what they were like: an
address, named arguments of the factory, files beside it with size and SHA-256, the arguments of `wrap`, and
SHA-256 of the arrays of its weights, and what others are like. Those of code are only followed if the user
types the address, too.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

import keras_gahr
from keras_gahr.datasets.arrays import bytes_of, name_of_type
from keras_gahr.errors import InputError
from keras_gahr.files import replacing
from keras_gahr.json_file import json_text, parse_json, read_json, write_json
from keras_gahr.model_address import Address
from keras_gahr.names import printable

from .kept_file import KeptFile
from .likeness import alike, likeness

_VERSION = 2

_WITHOUT_MADE = 1
"""The version of recipes that say nothing of arrays that no file of weights has."""

_LARGEST = 2**22
"""Bytes. A schedule of a thousand steps has 20,000."""

_MOST_VALUES = 2**24
"""In an image that a network of a recipe takes."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What made a network.

    Args:
        address: an `Address`.
        factory_options: named arguments of the factory.
        weights: the file that was loaded into it, or None.
        files: a `KeptFile` for each file that it was read from.
        state: SHA-256 of the arrays that a file of its weights has, when it was made.
        made: what other arrays were like then by name, see `likeness`.
        wrapped: whether the factory returned a denoiser that it had wrapped itself.
    """

    address: Address
    factory_options: dict[str, Any]
    weights: Path | None
    files: tuple[KeptFile, ...]
    state: str = ""
    made: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    wrapped: bool = False

    def sources(self) -> tuple[KeptFile, ...]:
        """The files that it was read from, and that of the module that was imported for it."""
        module = sys.modules.get(self.address.place) if self.address.imports else None
        code = getattr(module, "__file__", None)
        return self.files if code is None else (*self.files, KeptFile.of(Path(code)))


def with_state(recipe: Recipe, network: Any) -> Recipe:
    """A recipe with what the arrays of a `Network` are now."""
    made = {name: likeness(array) for name, array in network.unsaved().items()}
    return dataclasses.replace(recipe, state=_digest(network), made=made)


def _digest(network):
    digest = hashlib.sha256()
    for name, array in sorted(network.saved().items()):
        array = np.ascontiguousarray(array)
        digest.update(repr((name, array.shape, name_of_type(array.dtype))).encode())
        digest.update(bytes_of(array))
    return digest.hexdigest()


def write_recipe(denoiser: Any, path: str | os.PathLike[str]) -> None:
    """Writes the recipe of a `ForeignDenoiser` that has one, whole or not at all; an old file is replaced.

    Raises:
        InputError: if it would not make the same denoiser again, or if its files do not lie
            beside `path` or below.
    """
    path = Path(path)
    recipe: Recipe = denoiser.recipe
    if _digest(denoiser.network) != recipe.state or not _made_alike(recipe.made, denoiser.network):
        raise InputError(
            "the network's weights have changed since it was made, which a recipe would lose: keep them "
            "in a file, and wrap it with weights=FILE"
        )
    folder = path.absolute().parent
    for file in recipe.files:
        file.check("this denoiser")
    address = recipe.address
    if not address.imports:
        address = Address(address.kind, _beside(Path(address.place), folder))
    content = {
        "recipe": _VERSION,
        "package": f"keras-gahr {keras_gahr.__version__}",
        "address": str(address),
        "factory_options": _plain(recipe.factory_options, "factory_options"),
        "weights": None if recipe.weights is None else _beside(recipe.weights, folder),
        "files": {
            _beside(file.path, folder): {"bytes": file.size, "sha256": file.sha256}
            for file in recipe.files
            if file.path.absolute()
            != path.absolute()  # An older recipe, in the folder of a network.
        },
        "state_sha256": recipe.state,
        "made": {**recipe.made},
        "wrap": None if recipe.wrapped else _arguments(denoiser),
    }
    _check_again(denoiser, recipe)
    with replacing(path) as temporary:
        write_json(temporary, content)


def read_recipe(path: Path, typed: Address | None = None) -> Any:
    """The denoiser that a recipe makes.

    Args:
        path: the file.
        typed: the address that the user gave with it. Without, nothing is imported that the file names.

    Raises:
        InputError: if it is no recipe or makes something else than it did, if what it builds on has
            changed, and if it names code that the user has not.
    """
    content = _checked(read_json(path, "a recipe of a denoiser", _LARGEST), path)
    address = _address(content["address"], path)
    named = _name(f"{address}@{path}")
    if address.imports and typed is None:
        raise InputError(
            f"{_name(path)} would import {address.place} and call its {address.attribute}, which only you "
            f"may ask for: if you know that code, give {named}"
        )
    if typed is not None and typed != address:
        raise InputError(f"received {typed} with {_name(path)}, which is a recipe of {address}")
    files = tuple(
        KeptFile(_within(path, name), fact["sha256"], fact["bytes"])
        for name, fact in content["files"].items()
    )
    for file in files:
        file.check(_name(path))
    weights = content["weights"]
    if weights is not None:
        if weights not in content["files"]:
            raise InputError(f"{_name(path)} is no recipe: it does not say what its weights were")
        weights = _within(path, weights)
    if not address.imports:
        address = Address(address.kind, str(_within(path, address.place)))
    found = remade(address, content["factory_options"], weights, content["wrap"])
    if {file.path for file in found.recipe.files} - {path} != {file.path for file in files}:
        raise InputError(f"{_name(path)} was made with other files than are there now")
    _check_state(found, content["state_sha256"], content["made"], path)
    return found


def remade(address: Address, factory_options: Any, weights: Path | None, arguments: Any) -> Any:
    """The `ForeignDenoiser` of what a recipe says."""
    from .wrapping import wrap

    options = {"factory_options": factory_options or None, "weights": weights}
    return wrap(str(address), **options, **(arguments or {}))


def _check_state(found, said, made, path):
    """Raises `InputError` if a network has other arrays than a recipe says."""
    network, address = found.network, found.recipe.address
    if said != found.recipe.state:
        raise InputError(
            f"{address} makes a network with other weights than it did for {_name(path)}: its code or what "
            "it reads has changed"
        )
    if made is None and network.unsaved():
        warnings.warn(
            f"{_name(path)} does not say what {_names(network.unsaved())} of {address} was when it was made, "
            "which no file of its weights has: if the network is the same, save it again",
            stacklevel=2,
        )
    elif made is not None and not _made_alike(made, network):
        raise InputError(
            f"{address} makes a network with other {_names(network.unsaved() or made)} than it did for "
            f"{_name(path)}, which no file of its weights has: its code or what it reads has changed"
        )


def _made_alike(made, network):
    arrays = network.unsaved()
    return made.keys() == arrays.keys() and all(
        alike(made[name], array) for name, array in arrays.items()
    )


def _check_again(denoiser, recipe):
    """Raises `InputError` if a factory, which may draw arrays that no file gives it, makes other ones now."""
    network = denoiser.network
    drawn = network.unsaved() or (recipe.weights is None and network.saved())
    if not recipe.address.imports or not drawn:
        return
    arguments = None if recipe.wrapped else _arguments(denoiser)
    again = remade(recipe.address, recipe.factory_options, recipe.weights, arguments).network
    if _digest(again) != recipe.state:
        raise InputError(
            f"{recipe.address} makes a network with other weights each time: keep them in a file, and wrap "
            "it with weights=FILE"
        )
    if not _made_alike(recipe.made, again):
        raise InputError(
            f"{recipe.address} makes a network with other {_names(network.unsaved())} each time, which no "
            "file of its weights has: let it draw them with a seed of their own, or keep them as persistent "
            "buffers"
        )


def _names(arrays):
    names = sorted(arrays)
    return _name(names[0]) + (f" or others of {len(names)} arrays" if len(names) > 1 else "")


def _arguments(denoiser):
    """The arguments of `wrap` that make the same denoiser of the same network, as JSON has them."""
    return {
        "predicts": denoiser.predicts,
        "schedule": denoiser.schedule.numbers(),
        "value_range": list(denoiser.value_range),
        "channels": denoiser.input_channels,
        "size_multiple": denoiser.size_multiple,
        "size": None if denoiser.size is None else list(denoiser.size),
        "layout": "NCHW" if denoiser.network.channels_first else "NHWC",
        "condition": _plain(denoiser.network.condition, "condition"),
        "provenance": _plain(denoiser.provenance, "provenance"),
    }


def _plain(values, name):
    """Values that JSON gives back as they are."""
    for key, value in values.items():
        try:
            same = type(key) is str and _same(parse_json(json_text(value).encode()), value)
        except (TypeError, ValueError, RecursionError):
            same = False
        if not same:
            raise InputError(
                f"a recipe cannot hold {name}[{key!r:.40}], a {type(value).__name__}: it takes numbers, "
                "text, true, false, null, and lists and dictionaries of them"
            )
    return values


def _same(value, other):
    if type(value) is not type(other):
        return False
    if isinstance(value, dict):
        return value.keys() == other.keys() and all(_same(value[key], other[key]) for key in value)
    if isinstance(value, list):
        return len(value) == len(other) and all(map(_same, value, other))
    return value == other


def _beside(path, folder):
    """The name of a file as seen from the folder of a recipe, with slashes."""
    try:
        return path.absolute().relative_to(folder).as_posix()
    except ValueError:
        raise InputError(
            f"{path} does not lie beside the recipe or below: write the recipe into {path.parent}, or copy "
            "the file"
        ) from None


def _within(path, name):
    """The path of a file that a recipe names: beside it or below, never elsewhere."""
    pure = PurePosixPath(name)
    if pure.is_absolute() or {"..", ""} & {*pure.parts} or "\\" in name or ":" in name or not name:
        raise InputError(
            f"{_name(path)} names the file {_name(name)}, expected one beside it or below"
        )
    return path.parent / pure


_WRAP = {
    "predicts": (str,),
    "schedule": (str, dict),
    "value_range": (list,),
    "channels": (int,),
    "size_multiple": (int,),
    "size": (list, type(None)),
    "layout": (str,),
    "condition": (dict,),
    "provenance": (dict,),
}
_PARTS = {
    "recipe": (int,),
    "package": (str,),
    "address": (str,),
    "factory_options": (dict,),
    "weights": (str, type(None)),
    "files": (dict,),
    "state_sha256": (str,),
    "made": (dict, type(None)),
    "wrap": (dict, type(None)),
}


def _checked(content, path):
    """The content of a recipe, if each part is there and of its type, and nothing else."""
    if isinstance(content, dict) and content.get("recipe") == _WITHOUT_MADE:
        content = {"made": None, **content}
    _check_parts(content, _PARTS, path)
    if content["recipe"] not in (_WITHOUT_MADE, _VERSION):
        raise InputError(
            f"{_name(path)} is a recipe of version {content['recipe']!s:.20}, made by "
            f"{_name(content['package'])}: this version of keras-gahr reads version {_VERSION}"
        )
    for fact in content["files"].values():
        _check_parts(fact, {"bytes": (int,), "sha256": (str,)}, path)
    if content["wrap"] is not None:
        _check_parts(content["wrap"], _WRAP, path)
        _check_size(content["wrap"], path)
    return content


def _check_parts(found, kinds, path):
    names = found.keys() if isinstance(found, dict) else ()
    if set(names) != set(kinds):
        odd = sorted(set(names) ^ set(kinds))
        what = f"it has or lacks {_name(odd[0])}" if names else "it holds no such object"
        raise InputError(f"{_name(path)} is no recipe of a denoiser: {what}")
    for name, types in kinds.items():
        if type(found[name]) not in types:
            raise InputError(
                f"{_name(path)} is no recipe of a denoiser: it has {name} of type "
                f"{type(found[name]).__name__}, expected {' or '.join(kind.__name__ for kind in types)}"
            )


def _check_size(arguments, path):
    """Raises `InputError` for images that would take up the memory."""
    sides = arguments["size"] or [arguments["size_multiple"]] * 2
    whole = all(type(side) is int and side > 0 for side in sides)
    values = arguments["channels"]
    for side in sides if whole else ():
        values *= side
    if not whole or len(sides) != 2 or not 0 < values <= _MOST_VALUES:
        raise InputError(
            f"{_name(path)} is no recipe of a denoiser: it has images of {_name(sides)} with "
            f"{_name(arguments['channels'])} channels"
        )


def _address(text, path):
    kind, _, rest = text.partition(":")
    place, _, attribute = rest.partition(":")
    try:
        if kind in {"torch", "jax"}:
            return Address(kind, place, attribute)
        if kind in {"keras", "diffusers"}:
            return Address(kind, rest)
    except InputError:
        pass
    raise InputError(f"{_name(path)} is no recipe: it has the address {_name(text)}")


def _name(value):
    """A name or a text from a file, short and in one line."""
    text = str(value)
    return printable(text if len(text) <= 200 else f"{text[:200]}...")
