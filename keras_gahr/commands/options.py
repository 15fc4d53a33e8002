"""Options that several commands share, and how they are parsed."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.errors import InputError

OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
SeedOption = Annotated[int, typer.Option(help="Seed of all random numbers.", min=0)]
BatchSizeOption = Annotated[int, typer.Option(help="Images computed at once.", min=1)]
ModelArgument = Annotated[Path, typer.Argument(help="A denoiser: a .keras file.")]


def parse_size(text):
    """(height, width) from `40` or `40x48`.

    Raises:
        InputError: if it is neither.
    """
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise InputError(f"received size {text!r}, expected 40 or HEIGHTxWIDTH such as 40x48")
    return int(sides[0]), int(sides[-1])
