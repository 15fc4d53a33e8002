"""Tables in files of comma-separated values that may be anybody's."""

import csv
import io
import math
import re

MOST_COLUMNS, MOST_ROWS = 200, 200_000

_TEXTS = {"name", "set", "channels"}
"""Columns of tables of this package that are text, whatever it looks like."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]+)?([eE][+-]?[0-9]+)?|nan|[+-]?inf")
"""As programs write them. Others, such as 007 and those with more digits than a float has, are names."""


def read_columns(folder, name):
    """The columns of a file by their names, in order.

    Args:
        folder: `ViewedFolder`.
        name: of the file.

    Returns:
        A dictionary of lists. Those of numbers hold finite ones, or None where there is nothing or one that
        is not finite; if anything else is in a column, all that is there is text.

    Raises:
        InputError: if it cannot be read.
        ValueError: if it is no such table, or too large a one.
    """
    text = folder.read(name).decode("utf-8")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise ValueError(f"it is no table: {error}") from error
    if not rows or not rows[0]:
        raise ValueError("it is empty")
    header, *rows = rows
    if len(header) > MOST_COLUMNS or len(rows) > MOST_ROWS:
        raise ValueError(f"it has {len(rows)} rows and {len(header)} columns")
    if len({*header}) < len(header) or {len(row) for row in rows} - {len(header)}:
        raise ValueError("its rows do not fit its header")
    return {title: _column(title, [row[k] for row in rows]) for k, title in enumerate(header)}


def _column(title, texts):
    if title in _TEXTS or not all(_NUMBER.fullmatch(text) for text in texts if text):
        return [text or None for text in texts]
    values = (float(text) if text else math.nan for text in texts)
    return [value if math.isfinite(value) else None for value in values]
