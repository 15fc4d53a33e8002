"""Weights that a user keeps in a file of their own, for a network that is made by a factory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from keras_gahr._backend import foreign
from keras_gahr.errors import InputError
from keras_gahr.files import check_regular
from keras_gahr.names import printable

from .foreign_denoiser import ForeignDenoiser

_EXPECTED = "a .safetensors file or a state dict of PyTorch (.pt, .pth)"


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """The arrays in a file by name: of a .safetensors file, or of a state dict that `torch.save` wrote.

    Nothing in it is executed, and no more memory is taken than a few times its size.

    Raises:
        InputError: if it is neither, or holds the weights of several networks.
    """
    check_regular(path, _EXPECTED)
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        try:
            return foreign.read_safetensors(path)
        except Exception as error:  # Whatever the damaged part happened to cause.
            raise InputError(
                f"{path} cannot be read as safetensors: {printable(str(error)[:200])}"
            ) from error
    if suffix not in {".pt", ".pth"}:
        raise InputError(f"received weights in {path}, expected {_EXPECTED}")
    # Conversion builds on this room, and is only needed for such files.
    from weights_convert.read import open_checkpoint

    checkpoint = open_checkpoint(path)
    if checkpoint.others:
        raise InputError(
            f"{path} holds the weights of several networks ({checkpoint.place}, "
            f"{printable(', '.join(checkpoint.others)[:100])}): keep one state dict in a file of its own"
        )
    return checkpoint.state


def load_weights(network: Any, path: Path) -> None:
    """Loads the weights in a file into a module of the backend; names and shapes must be its own.

    Args:
        network: the module, or a `ForeignDenoiser` of one.
        path: see `read_weights`.

    Raises:
        InputError: for a network that is no module, and for weights of another one.
    """
    if isinstance(network, ForeignDenoiser):
        network = getattr(network.network, "module", network)
    if not foreign.is_module(network):
        raise InputError(
            f"received weights for a {type(network).__name__}, expected a factory of a torch.nn.Module"
        )
    arrays, own = read_weights(path), foreign.state_of(network)
    for first, second, lack in ((own, arrays, "lacks"), (arrays, own, "has")):
        if names := sorted(first.keys() - second.keys()):
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise InputError(
                f"{path} {lack} {printable(names[0][:100])}{more}, which the network "
                f"{'has' if lack == 'lacks' else 'lacks'}: give the weights of this one"
            )
    for name, array in arrays.items():
        if array.shape != own[name].shape or array.dtype.kind != own[name].dtype.kind:
            raise InputError(
                f"{path} has {printable(name[:100])} of shape {array.shape} and {array.dtype}, the network "
                f"of {own[name].shape} and {own[name].dtype}: give the weights of this one"
            )
    foreign.load_state(network, arrays)


def nested(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Arrays by name as nested dictionaries, of whose names the dots between them tell.

    Raises:
        InputError: if a name is that of an array and the beginning of another's.
    """
    found: dict[str, Any] = {}
    for name, array in arrays.items():
        *steps, last = name.split(".")
        place = found
        for step in steps:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                break
        if not isinstance(place, dict) or last in place:
            raise InputError(f"the weights have {printable(name[:100])!r} and one within it")
        place[last] = array
    return found
