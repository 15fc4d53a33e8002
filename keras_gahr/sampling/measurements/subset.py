"""How much of an image is measured."""

import math

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.noise import check_number


def check_fraction(fraction):
    """The fraction, if it is above 0 and at most 1; else raises `InputError`."""
    if not 0 < (fraction := check_number(fraction, "fraction")) <= 1:
        raise InputError(f"received a fraction of {fraction:g}, expected 0 < fraction <= 1")
    return fraction


def kept_count(fraction, total):
    """The whole part of a fraction of `total`, as in the published code, and at least 1."""
    # 0.29 x 100 is a little below 29 in floating point.
    return max(1, math.floor(check_fraction(fraction) * total + 1e-9))


def random_subset(fraction, total, rng):
    """So many of the numbers below `total`, sorted, drawn by a NumPy generator."""
    return np.sort(rng.choice(total, kept_count(fraction, total), replace=False))
