"""Confidence intervals."""

import math

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


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
    rng = np.random.default_rng(seed)
    # One resampling at a time: all indices of a large set at once would take gigabytes.
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(draws)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def share_interval(values, confidence=CONFIDENCE):
    """Wilson's interval of a share, which has a width even where all values are equal.

    Args:
        values: bool (N,).
        confidence: of the interval.

    Returns:
        (low, high), in [0, 1].
    """
    count, share = len(values), float(np.mean(values))
    z = stats.norm.ppf((1 + confidence) / 2)
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def mean_interval(values, confidence=CONFIDENCE):
    """Student's interval of a mean: (low, high), NaN for fewer than two values."""
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return math.nan, math.nan
    error = values.std(ddof=1) / math.sqrt(len(values))
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * error)
    return float(values.mean()) - half, float(values.mean()) + half
