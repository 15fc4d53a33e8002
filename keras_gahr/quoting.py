"""Names from a file in one-line messages."""

import reprlib

_SHORT = reprlib.Repr()
_SHORT.maxstring = 80
# Python refuses to write out numbers of thousands of digits.
_LONGEST_NUMBER = 256


def quoted(name):
    """The name in quotes, without line breaks or control characters, shortened if it is long."""
    if type(name) is int and name.bit_length() > _LONGEST_NUMBER:
        return f"a number of {name.bit_length()} bits"
    return _SHORT.repr(name)


def listed(items, most=8):
    """The items joined by commas: all of them if they are few, else the first and how many more."""
    items = list(items)
    if len(items) <= most:
        return ", ".join(items)
    return f"{', '.join(items[:most])} and {len(items) - most} more"
