"""Numbers, times and verdicts in words, the same in HTML and Markdown."""

import math
import numbers

VERDICTS = {True: "seen", False: "not seen", None: "undecided"}
"""Of `Claim.passed`."""

NOTHING = "\u2013"
"""A dash."""


def cell_texts(table):
    """The rows of a `Table` as strings.

    Numbers have up to four digits, within a column as many after the point as one of them needs.
    """
    columns = []
    for cells in zip(*table.rows, strict=True):
        most = max(map(_decimals, cells))
        columns.append([_cell_text(cell, most) for cell in cells])
    return list(zip(*columns, strict=True))


def numeric_columns(table):
    """Whether each column of a `Table` holds numbers, or nothing, and is to be aligned as such."""
    if not table.rows:
        return [False] * len(table.columns)
    return [
        all(cell is None or _is_number(cell) for cell in cells)
        for cells in zip(*table.rows, strict=True)
    ]


def _cell_text(value, most):
    if value is None:
        return NOTHING
    if not _is_number(value):
        return str(value)
    if isinstance(value, numbers.Integral):
        return f"{value:,}"
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else f"{value:+}".replace("inf", "\u221e")
    if _is_extreme(value):
        return f"{value:.3e}"
    return f"{value:,.{min(most, _digits_after_point(value))}f}"


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _decimals(value):
    """How many digits after the point a number needs, of the four in all that it may have."""
    if not _is_number(value) or not math.isfinite(value) or _is_extreme(value):
        return 0
    text = f"{value:.{_digits_after_point(value)}f}"
    return len(text.rstrip("0").partition(".")[2])


def _digits_after_point(value):
    return min(4, max(0, 3 - math.floor(math.log10(abs(value))))) if value else 4


def _is_extreme(value):
    return bool(value) and not 1e-3 <= abs(value) < 1e6


def seconds_text(seconds):
    """A time: "12 seconds", "3.4 hours"."""
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} seconds"


def tally(claims):
    """How many claims were seen: "2 of 3 seen, 1 undecided"."""
    counts = dict.fromkeys(VERDICTS, 0)
    for claim in claims:
        counts[claim.passed] += 1
    parts = [f"{counts[True]} of {len(claims)} seen"]
    parts += [f"{counts[passed]} {VERDICTS[passed]}" for passed in (False, None) if counts[passed]]
    return ", ".join(parts)


def setting_text(value):
    """A value of the settings that is no mapping: a list becomes its items with commas."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(setting_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    # As they were given: 0.001 is not 1.000e-03 here.
    return NOTHING if value is None else str(value)
