"""Confidence intervals."""

import contextlib
import math
import warnings

import numpy as np
from scipy import optimize, stats

CONFIDENCE = 0.95

_RESAMPLED = 2**20
"""Values that are resampled at a time: all draws of a large set at once would take gigabytes."""

_EDGE = 1e-9
"""How far from 0 and 1 areas are looked for."""


def bootstrap_interval(values, confidence=CONFIDENCE, draws=2000, seed=0):
    """The percentile bootstrap interval of a mean.

    Args:
        values: (N,), such as whether each sample is memorized.
        confidence: part of the resampled means that lie within.
        draws: how often the values are resampled.
        seed: of the resampling.

    Returns:
        (low, high). Where all values are equal it has no width: see `share_interval`.
    """
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return float(values.mean()), float(values.mean())
    found = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=draws,
        batch=max(1, _RESAMPLED // len(values)),
        confidence_level=confidence,
        method="percentile",
        random_state=np.random.default_rng(seed),
    )
    return _ends(found.confidence_interval)


def correlation(values, others, axis=-1):
    """Of pairs along an axis; 0 where either does not vary."""
    first, second = (each - each.mean(axis=axis, keepdims=True) for each in (values, others))
    lengths = np.sqrt(np.sum(first**2, axis=axis) * np.sum(second**2, axis=axis))
    return np.sum(first * second, axis=axis) / np.maximum(lengths, 1e-300)


def correlation_interval(values, others, confidence=CONFIDENCE, draws=2000, seed=0):
    """The interval of the correlation of independent pairs.

    It reaches as far as the bootstrap's and as Fisher's, which is that of normal values: the first is too
    narrow for few pairs, the second for values of which a few lie far out.

    Args:
        values, others: float64 (N,) each.
        confidence, draws, seed: see `bootstrap_interval`.

    Returns:
        (low, high), -1 and 1 for fewer than four pairs.
    """
    if len(values) < 4:
        return -1.0, 1.0
    found = stats.bootstrap(
        (values, others),
        correlation,
        paired=True,
        vectorized=True,
        n_resamples=draws,
        batch=max(1, _RESAMPLED // len(values)),
        confidence_level=confidence,
        method="percentile",
        random_state=np.random.default_rng(seed),
    )
    low, high = _ends(found.confidence_interval)
    middle = math.atanh(np.clip(correlation(values, others), _EDGE - 1, 1 - _EDGE))
    reach = stats.norm.ppf((1 + confidence) / 2) / math.sqrt(len(values) - 3)
    return min(low, math.tanh(middle - reach)), max(high, math.tanh(middle + reach))


def share_interval(values, confidence=CONFIDENCE):
    """Wilson's interval of a share, which has a width even where all values are equal.

    Args:
        values: bool (N,).
        confidence: of the interval.

    Returns:
        (low, high), in [0, 1].
    """
    successes = int(np.count_nonzero(values))
    return _ends(stats.binomtest(successes, len(values)).proportion_ci(confidence, "wilson"))


def share_difference_interval(values, others, paired=False, confidence=CONFIDENCE):
    """The interval of a difference of shares, which has a width even where all values are equal.

    That of two normal shares, with one success and one failure more: of independent values by Agresti and
    Caffo (The American Statistician 54, 2000), of pairs by Bonett and Price (Journal of Educational and
    Behavioral Statistics 37, 2012).

    Args:
        values, others: bool (N,) and (M,).
        paired: whether value k and the other k belong together.
        confidence: of the interval.

    Returns:
        (low, high) of mean(values) - mean(others), in [-1, 1].
    """
    if paired:
        values, others = np.asarray(values, bool), np.asarray(others, bool)
        gained, lost = (
            (np.count_nonzero(alone) + 1) / (len(alone) + 2)
            for alone in (values & ~others, others & ~values)
        )
        difference = gained - lost
        variance = (gained + lost - difference**2) / (len(values) + 2)
    else:
        shares = [(np.count_nonzero(each) + 1) / (len(each) + 2) for each in (values, others)]
        difference = shares[0] - shares[1]
        variance = sum(
            share * (1 - share) / (len(each) + 2)
            for share, each in zip(shares, (values, others), strict=True)
        )
    half = stats.norm.ppf((1 + confidence) / 2) * math.sqrt(variance)
    return float(max(difference - half, -1)), float(min(difference + half, 1))


def area_interval(area, first, second, confidence=CONFIDENCE):
    """Of the area below a receiver operating characteristic: how often one of two sets has the larger value.

    Of the areas those from which this one is not too far, with the variance of Hanley and McNeil (1982)
    for sets of the same size in all (Newcombe, Statistics in Medicine 25, 2006, method 5). It has a width
    even at 0 and 1.

    Args:
        area: found, in [0, 1].
        first, second: how many values there are of each.
        confidence: of the interval.

    Returns:
        (low, high), in [0, 1].
    """
    quantile = stats.norm.ppf((1 + confidence) / 2)
    others = (first + second) / 2 - 1

    def beyond(true):
        spread = 1 + others * ((1 - true) / (2 - true) + true / (1 + true))
        variance = true * (1 - true) * spread / (first * second)
        return abs(area - true) - quantile * math.sqrt(variance)

    # At 0 and 1 the variance is 0, beside them it is not.
    inside = min(max(area, _EDGE), 1 - _EDGE)
    low = optimize.brentq(beyond, 0, inside) if area > 0 else 0.0
    high = optimize.brentq(beyond, inside, 1) if area < 1 else 1.0
    return float(low), float(high)


def mean_interval(values, confidence=CONFIDENCE):
    """Student's interval of a mean: (low, high), NaN for fewer than two values."""
    if len(values) < 2:
        return math.nan, math.nan
    with _equal_values_allowed():
        return _ends(stats.ttest_1samp(values, 0).confidence_interval(confidence))


def median_interval(values, confidence=CONFIDENCE):
    """The interval of a median between two of the values, whatever their law is.

    As many values lie below the median as heads fall in as many throws.

    Args:
        values: (N,).
        confidence: of the interval.

    Returns:
        (low, high), infinite for fewer than six values at 95%: the median of them all may lie beyond.
    """
    found = stats.quantile_test(values, p=0.5).confidence_interval(confidence)
    if math.isnan(found.low):
        return -math.inf, math.inf
    return _ends(found)


def standard_error(values):
    """Of the mean over the last axis, which has the independent values; NaN for fewer than two."""
    values = np.asarray(values, np.float64)
    count = values.shape[-1]
    if count < 2:
        return np.full(values.shape[:-1], np.nan)
    return values.std(axis=-1, ddof=1) / math.sqrt(count)


def difference_interval(values, others, confidence=CONFIDENCE):
    """Welch's interval of mean(values) - mean(others), of independent values: (low, high).

    NaN for fewer than two of either: one alone does not tell how much such values vary.
    """
    if min(len(values), len(others)) < 2:
        return math.nan, math.nan
    with _equal_values_allowed():
        found = stats.ttest_ind(values, others, equal_var=False)
        return _ends(found.confidence_interval(confidence))


def _ends(interval):
    return float(interval.low), float(interval.high)


@contextlib.contextmanager
def _equal_values_allowed():
    """Without SciPy's warning that equal values have no variance: their interval has no width."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
        yield
