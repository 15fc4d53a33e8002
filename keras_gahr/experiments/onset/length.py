"""How long runs are."""

GROWTH = 2 / 3
"""The power of N that lengths grow with: so that f_mem rises within every run, whether it does so at one
time or at one number of steps per image, and that runs have both in common."""


def steps_of(count, counts, most):
    """The steps of a run.

    Args:
        count: of its training images, N.
        counts: all N.
        most: steps of a run of the largest.
    """
    return max(1, round(most * (count / max(counts)) ** GROWTH))
