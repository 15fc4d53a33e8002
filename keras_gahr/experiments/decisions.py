"""Whether a number that was measured with an uncertainty lies above or below a bound.

Each answer is True, False, or None where the measurement cannot tell.
"""

import numpy as np

_NORMAL = 1.96
"""Standard errors on each side of a mean in its 95% interval."""


def is_above(interval, bound):
    """Whether a number with this 95% interval (low, high) is above the bound."""
    low, high = interval
    if low > bound:
        return True
    return False if high <= bound else None


def is_below(interval, bound):
    """Whether a number with this 95% interval (low, high) is below the bound."""
    low, high = interval
    if high < bound:
        return True
    return False if low >= bound else None


def all_of(*answers):
    """Whether all are so: one that is not decides, however uncertain the others."""
    if False in answers:
        return False
    return None if None in answers else True


def difference_interval(values, others):
    """The 95% interval of mean(values) - mean(others), of independent values, (low, high).

    A single value counts as exact.
    """
    variance = sum(np.var(part, ddof=1) / len(part) for part in (values, others) if len(part) > 1)
    difference, half = np.mean(values) - np.mean(others), _NORMAL * np.sqrt(variance)
    return float(difference - half), float(difference + half)


def in_words(value, interval, unit=""):
    """The value with its 95% interval: "0.31 dB (95%: 0.12 to 0.50)"."""
    low, high = interval
    return f"{value:.2f}{unit} (95%: {low:.2f} to {high:.2f})"
