"""Tables in files of comma-separated values that may be anybody's."""

import csv
import io
import math

MOST_COLUMNS, MOST_ROWS = 200, 200_000


def read_columns(folder, name):
    """The columns of a file by their names, in order.

    Args:
        folder: `ViewedFolder`.
        name: of the file.

    Returns:
        A dictionary of lists. An entry is a finite number, None (nothing, or a number that is not
        finite), or text.

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
    return {title: [_entry(row[k]) for row in rows] for k, title in enumerate(header)}


def _entry(text):
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return text
    return value if math.isfinite(value) else None
