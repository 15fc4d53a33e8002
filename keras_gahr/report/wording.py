"""Numbers, times and verdicts in words, the same in HTML and Markdown."""

import math
import numbers

VERDICTS = {True: "seen", False: "not seen", None: "undecided"}
"""Of `Claim.passed`."""

NOTHING = "\u2013"
"""A dash."""


def number_text(value):
    """A cell of a table: four digits of a number, a dash where there is nothing."""
    if value is None:
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return str(value)
    if isinstance(value, numbers.Integral):
        return f"{value:,}"
    value = float(value)
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else f"{value:+}".replace("inf", "∞")
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.3e}"
    # Trailing zeros are digits too: 1.500 was measured as closely as 1.523.
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(digits, 4)}f}"


def is_number(value):
    """Whether a cell is to be aligned as a number; those that hold nothing are."""
    return value is None or (isinstance(value, numbers.Real) and not isinstance(value, bool))


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
