"""Numbers, times and verdicts in words, the same in HTML and Markdown."""

import math
import numbers

VERDICTS = {True: "seen", False: "not seen", None: "undecided"}
"""Of `Claim.passed`."""

NOTHING = "\u2013"
"""A dash."""


def cell_texts(table):
    """The rows of a `Table` as strings.

    The numbers of a column have the same digits after the point, but for those far from 1: enough
    for four digits of the largest and two of the smallest, and no zeros at the end of all.
    """
    columns = []
    for cells in zip(*table.rows, strict=True):
        decimals = _decimals(list(filter(_is_plain, cells)))
        columns.append([_cell_text(cell, decimals) for cell in cells])
    return list(zip(*columns, strict=True))


def numeric_columns(table):
    """Whether each column of a `Table` holds numbers, or nothing, and is to be aligned as such."""
    if not table.rows:
        return [False] * len(table.columns)
    return [
        all(cell is None or _is_number(cell) for cell in cells)
        for cells in zip(*table.rows, strict=True)
    ]


def _cell_text(value, decimals):
    if value is None:
        return NOTHING
    if not _is_number(value):
        return str(value)
    if isinstance(value, numbers.Integral):
        return f"{value:,}"
    if _is_plain(value):
        return f"{value:,.{decimals}f}"
    if math.isfinite(value):
        return f"{value:.3e}"
    return NOTHING if math.isnan(value) else f"{value:+}".replace("inf", "\u221e")


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_plain(value):
    """Whether a cell is a number that is written without an exponent."""
    return _is_number(value) and (value == 0 or 1e-3 <= abs(value) < 1e6)


def _decimals(values):
    """How many digits after the point these numbers get."""
    sizes = [math.floor(math.log10(abs(value))) for value in values if value]
    if not sizes:
        return 0
    most = min(max(3 - max(sizes), 1 - min(sizes), 0), 4)
    return max(len(f"{value:.{most}f}".partition(".")[2].rstrip("0")) for value in values)


def seconds_text(seconds):
    """A time: "12 seconds", "3.4 hours"."""
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} seconds"


def range_text(values, unit=""):
    """The smallest and the largest of some numbers: "0.8 to 6.3 dB", or "0.8 dB" if these look the same."""
    low, high = (f"{value:z.1f}" for value in (min(values), max(values)))
    return (low if low == high else f"{low} to {high}") + unit


def change_text(before, after, unit=""):
    """What became of a number: "fell from 7.1 to 0.1 dB", "rose from 0.1 to 0.3 dB", "stayed at 0.1 dB"."""
    first, last = (f"{value:z.1f}" for value in (before, after))
    if first == last:
        return f"stayed at {last}{unit}"
    return f"{'fell' if after < before else 'rose'} from {first} to {last}{unit}"


def difference_text(value, positive, negative, unit="", decimals=1):
    """A number by its sign: "0.8 dB better", "less than 0.1 dB worse", "neither better nor worse".

    Args:
        value: the number.
        positive, negative: what it is if it is above and below 0: "better", "worse".
        unit: of it, with a space before it.
        decimals: digits after the point.
    """
    if not value:
        return f"neither {positive} nor {negative}"
    size, least = f"{abs(value):.{decimals}f}", 10.0**-decimals
    shown = f"less than {least:.{decimals}f}" if float(size) == 0 else size
    return f"{shown}{unit} {positive if value > 0 else negative}"


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
