"""Looks in a file: clock.csv, one line for each."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from keras_gahr.errors import InputError
from keras_gahr.files import replacing

from .look import Look


def write_clock(path: str | Path, looks: Sequence[Look]) -> None:
    """Writes looks into a CSV file, whole; what was not measured is an empty field."""
    rows = [look.row() for look in looks]
    columns = list(dict.fromkeys(name for row in rows or [Look(1).row()] for name in row))
    with replacing(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows({name: _text(number) for name, number in row.items()} for row in rows)


def _text(number):
    return "" if math.isnan(number) else number


def read_clock(path: str | Path) -> list[Look]:
    """The looks in a file that `write_clock` wrote.

    Raises:
        InputError: if it is missing or damaged.

    Examples:
        >>> import tempfile
        >>> from keras_gahr.training.clock import Look, read_clock, write_clock
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_clock(f"{folder}/clock.csv", [Look(10, samples=64, f_mem=0.25)])
        ...     read_clock(f"{folder}/clock.csv")[0].f_mem
        0.25
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [Look.from_row(row) for row in csv.DictReader(file)]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (
        ValueError,
        LookupError,
        TypeError,
        ArithmeticError,
        AttributeError,
        csv.Error,
    ) as error:
        raise InputError(
            f"{path} cannot be read: expected the table of looks of a training; put back a copy of it"
        ) from error
