"""Claims, and whether a number that was measured with an uncertainty lies above or below a bound.

Each answer is True, False, or None where the measurement cannot tell.
"""

import dataclasses
import math


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


def in_words(value, interval, unit=""):
    """The value with its 95% interval: "0.31 dB (95%: 0.12 to 0.50)"; it says so where there is none."""
    low, high = interval
    if not (math.isfinite(low) or math.isfinite(high)):
        return f"{value:.2f}{unit} (too few for an interval)"
    return f"{value:.2f}{unit} (95%: {low:.2f} to {high:.2f})"


@dataclasses.dataclass(frozen=True)
class Claim:
    """Something the paper says of all such experiments, and whether it was seen in this one.

    Args:
        statement: a sentence, of the paper's claim in words that a number can refute.
        passed: whether it was seen; None if it could not be decided here, and `measured` says why.
        measured: what was found, with its numbers and units.
        expected: what the claim asks of these numbers.
        source: where the paper makes it: "Fig. 2".
    """

    statement: str
    passed: bool | None
    measured: str
    expected: str
    source: str

    @classmethod
    def about(cls, value, interval, decide, bound, *, statement, expected, source, unit=""):
        """The claim that a number lies above or below a bound.

        Args:
            value: what was measured.
            interval: its 95% interval, (low, high).
            decide: `is_above` or `is_below`.
            bound: what it is compared with.
            statement, expected, source: see the class.
            unit: of the value, with a space before it: " dB".
        """
        passed = decide(interval, bound)
        return cls(statement, passed, in_words(value, interval, unit), expected, source)

    @classmethod
    def about_mean(cls, values, decide, bound, **words):
        """The same of the mean of values that are independent, (N,), with Student's interval."""
        # Reports that are there already are shown without what it takes to analyze anything.
        import numpy as np

        from keras_gahr.analysis.intervals import mean_interval

        return cls.about(float(np.mean(values)), mean_interval(values), decide, bound, **words)
