"""The network at an address."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras

from keras_gahr.errors import InputError
from keras_gahr.model_address import parse_address

from .any_keras_file import load_keras_file
from .importing import call_factory, import_named, working_folder_for
from .kept_file import KeptFile, files_in
from .recipe import Recipe
from .weights import load_weights, nested, read_weights


def open_address(
    source: str | os.PathLike[str],
    factory_options: dict[str, Any] | None = None,
    weights: str | os.PathLike[str] | None = None,
) -> tuple[Any, Recipe]:
    """What is at an address, for `wrap`, and the recipe by which it is had again.

    Args:
        source: the text of an `Address`.
        factory_options: named arguments of the factory.
        weights: a file of weights; see `wrap`.

    Raises:
        InputError: if it cannot be had.
    """
    given = parse_address(source)
    if given.recipe is not None or given.options:
        raise InputError(
            f"received {given.text!r:.120} for kg.wrap: give what follows the address as arguments, or all "
            "of it to kg.load_denoiser"
        )
    address, options = given.address, dict(factory_options or {})
    weights = None if weights is None else Path(weights)
    if options and address.kind != "torch":
        raise InputError(
            f"received factory_options for {address}, which is no factory: leave them out"
        )
    if weights is not None and not address.imports:
        raise InputError(f"received weights for {address}, which has its own: leave them out")
    network = _OPENED[address.kind](address, options, weights)
    if weights is not None:
        files: tuple[KeptFile, ...] = (KeptFile.of(weights),)
    elif address.kind == "keras":
        files = (KeptFile.of(Path(address.place)),)
    else:
        files = files_in(Path(address.place)) if address.kind == "diffusers" else ()
    return network, Recipe(address, options, weights, files)


def _of_torch(address, options, weights):
    _check_backend(address, "torch")
    with working_folder_for(address.place):
        network = call_factory(address, import_named(address), options)
    if weights is not None:
        load_weights(network, weights)
    return network


def _of_jax(address, options, weights):
    _check_backend(address, "jax")
    with working_folder_for(address.place):
        function = import_named(address)
    if not callable(function):
        raise InputError(f"{address} is a {type(function).__name__}, expected a function of images")
    if weights is None:
        return function
    return nested(read_weights(weights)), function


def _of_diffusers(address, options, weights):
    from .diffusers import load_folder

    return load_folder(Path(address.place))


_OPENED = {
    "torch": _of_torch,
    "jax": _of_jax,
    "keras": lambda address, options, weights: load_keras_file(Path(address.place)),
    "diffusers": _of_diffusers,
}


def _check_backend(address, expected):
    backend = keras.backend.backend()
    if backend != expected:
        raise InputError(
            f"{address} needs the backend {expected}, this is {backend}: pass --backend {expected}, or set "
            f"KERAS_BACKEND={expected} before Keras is imported"
        )
