"""Where a network of somebody else's is: a text such as `torch:package.module:factory`.

    torch:package.module:factory    called, it returns a network of PyTorch, or a wrapped denoiser
    jax:package.module:function     the network itself, a function of JAX arrays
    keras:FILE                      a .keras file of any Keras model
    diffusers:FOLDER                what diffusers has saved there

After them may stand `@FILE.json`, a recipe that says the same, or options of `kg.wrap`:
`?predicts=noise&schedule=sigma&value_range=-1,1&factory_options.width=8`. Nothing is imported here, neither
Keras nor what an address names.
"""

from __future__ import annotations

import json
import keyword
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_gahr.errors import InputError
from keras_gahr.hub.address import is_hub_address

_FORMS = {
    "torch": "torch:package.module:factory",
    "jax": "jax:package.module:function",
    "keras": "keras:FILE",
    "diffusers": "diffusers:FOLDER",
}
_CODE = ("torch", "jax")

FORMS = ", ".join(_FORMS.values())
"""What addresses look like."""

_LONGEST_NAME = 200
"""Characters of a module or of what is in it."""

_PLAIN = ("predicts", "schedule", "layout", "weights")
_NUMBERS = ("value_range", "size", "channels", "size_multiple")
_NAMED = ("factory_options", "condition")


@dataclass(frozen=True)
class Address:
    """Where a network is.

    Args:
        kind: "torch", "jax", "keras" or "diffusers".
        place: a module, a file or a folder.
        attribute: what is taken of the module; empty of a file or folder.

    Raises:
        InputError: for a module or an attribute that no Python program could name.
    """

    kind: str
    place: str
    attribute: str = ""

    def __post_init__(self) -> None:
        parts = (self.place, self.attribute) if self.imports else ()
        if not self.place or not all(map(_is_dotted_name, parts)):
            raise InputError(f"received {str(self)!r:.120}, expected {_FORMS[self.kind]}")

    @property
    def imports(self) -> bool:
        """Whether code is imported that the address names."""
        return self.kind in _CODE

    @property
    def stem(self) -> str:
        """A short name."""
        return self.attribute or Path(self.place).stem

    def __str__(self) -> str:
        return ":".join(filter(None, (self.kind, self.place, self.attribute)))


@dataclass(frozen=True)
class ModelAddress(os.PathLike):
    """An address with what a user typed after it; for `load_denoiser`, which takes its text.

    Args:
        text: as it was typed.
        address: an `Address`.
        recipe: the file after `@`, or None.
        options: of `kg.wrap`, by name.
    """

    text: str
    address: Address
    recipe: Path | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.text

    @property
    def stem(self) -> str:
        return self.address.stem

    def __fspath__(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text


def is_address(source: Any) -> bool:
    """Whether a text or path is meant as an address; a file of that name goes first."""
    if not isinstance(source, str | os.PathLike):
        return False
    text = os.fspath(source)
    return isinstance(text, str) and text.partition(":")[0] in _FORMS and not _exists(text)


def refuse_address(source: Any) -> Any:
    """The path or name that was given, unless it is an address.

    Raises:
        InputError: if it is one: where networks of this package only are taken.
    """
    if is_address(source):
        raise InputError(
            f"received {os.fspath(source)!r:.120}, a network of somebody else's: this takes those of this "
            "package only"
        )
    if is_hub_address(source):
        raise InputError(
            f"received {os.fspath(source)!r:.120}, which is on the Hub: this takes files, so fetch it first "
            f"by `gahr weights fetch`"
        )
    return source


def parse_address(source: str | os.PathLike[str]) -> ModelAddress:
    """The parts of a text for which `is_address` holds.

    Raises:
        InputError: if they are not as above.
    """
    text = os.fspath(source)
    named, question, query = text.partition("?")
    kind, _, rest = named.partition(":")
    if kind not in _FORMS:
        raise InputError(f"received {text!r:.120}, expected one of {FORMS}")
    recipe = None
    if kind in _CODE:
        rest, at, file = rest.partition("@")
        recipe = Path(file) if at else None
        place, _, attribute = rest.partition(":")
        address = Address(kind, place, attribute)
    else:
        address = Address(kind, os.path.expanduser(rest))
    if recipe is not None and question:
        raise InputError(
            f"received {text!r:.120}, a recipe and options: the recipe has its own, leave one of them out"
        )
    return ModelAddress(text, address, recipe, _options(query) if question else {})


def _options(query):
    found = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        first, dot, rest = name.partition(".")
        if not equals or name in found or rest in found.get(first, ()):
            raise InputError(f"received the option {part!r:.60}, expected NAME=VALUE, each once")
        if dot and first in _NAMED and rest:
            found.setdefault(first, {})[rest] = _value(value)
        elif name in _NUMBERS:
            numbers = [_value(number) for number in value.split(",")]
            found[name] = numbers[0] if len(numbers) == 1 else numbers
        elif name in _PLAIN:
            found[name] = value
        else:
            names = ", ".join([*_PLAIN, *_NUMBERS, *(f"{each}.NAME" for each in _NAMED)])
            raise InputError(f"received the option {name!r:.40}, expected one of {names}")
    return found


def _value(text):
    """A number, true, false, null, or the text itself."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, dict | list) else value


def _is_dotted_name(text):
    return len(text) <= _LONGEST_NAME and all(
        part.isidentifier() and not keyword.iskeyword(part) for part in text.split(".")
    )


def _exists(text):
    try:
        return os.path.lexists(text)
    except ValueError:  # A null character.
        return False
