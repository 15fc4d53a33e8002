"""What is said of a published checkpoint after its path: `model.pt?first_layer=relu&weights=params_ema`.

Each is an argument of `kg.load_denoiser` and an option of `gahr convert`. Nothing is read here.
"""

from __future__ import annotations

import os
import re
from typing import TypeVar

from keras_gahr.errors import InputError

SAYABLE = ("first_layer", "weights", "norm", "predicts")
"""What may be said of a checkpoint."""

_QUERY = re.compile(r"\w+=")

Source = TypeVar("Source", bound="str | os.PathLike[str]")


def split_said(source: Source) -> tuple[Source | str, dict[str, str]]:
    """The path or name, and what is said after it; a file of the whole name goes first.

    Raises:
        InputError: if that is not as above.
    """
    text = os.fspath(source)
    path, question, query = text.rpartition("?") if isinstance(text, str) else ("", "", "")
    if not question or not _QUERY.match(query) or os.path.lexists(text):
        return source, {}
    said: dict[str, str] = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if name not in SAYABLE or name in said or not equals or not value:
            raise InputError(
                f"received {part!r:.60} after {path!r:.80}, expected {'=VALUE, '.join(SAYABLE)}=VALUE, "
                "each once"
            )
        said[name] = value
    return path, said


def join_said(source: str | os.PathLike[str], said: dict[str, str]) -> str:
    """What `split_said` takes apart."""
    query = "&".join(f"{name}={value}" for name, value in said.items())
    return f"{os.fspath(source)}?{query}" if said else os.fspath(source)


def all_said(
    source: Source, arguments: dict[str, str | None]
) -> tuple[Source | str, dict[str, str]]:
    """As `split_said`, with what is said by arguments.

    Args:
        source: the path or name, after which something may be said.
        arguments: by the names of `SAYABLE`; None: nothing.

    Raises:
        InputError: as `split_said`, and for what is said twice.
    """
    source, said = split_said(source)
    for name, value in arguments.items():
        if value is not None and name in said:
            raise InputError(
                f"received {name.replace('_', ' ')} {value!r:.60}, and {said[name]!r:.60} after the path: "
                "leave one of them out"
            )
    return source, said | {name: value for name, value in arguments.items() if value is not None}


def refuse_said(source: str | os.PathLike[str], said: dict[str, str]) -> None:
    """Raises `InputError` if anything is said of what is no published checkpoint."""
    for name in said:
        raise InputError(
            f"received {_CALLED[name]} for {os.fspath(source)}, which is no PyTorch checkpoint"
        )


_CALLED = {
    "first_layer": "a first layer",
    "weights": "a name of weights",
    "norm": "a norm",
    "predicts": "a kind of prediction",
}
