"""C_T, a test for copying of the training set (Meehan et al., arXiv 2004.05675)."""

from __future__ import annotations

import numpy as np
from scipy import stats

from ..intervals import statistic_interval
from .measure import Estimate


def copying_score(samples: np.ndarray, test: np.ndarray) -> np.ndarray:
    """The z-score of the Mann-Whitney U of two sets of distances to the training set.

    U counts the pairs in which the sample is farther from the training set than the test image; equal ones
    count half. Below 0 samples are closer to it than test images are, above 0 farther.

    Args:
        samples, test: distances to the closest training image, (..., N) and (..., T).

    Returns:
        Float64 (...).
    """
    n, t = samples.shape[-1], test.shape[-1]
    ranks = stats.rankdata(np.concatenate([samples, test], axis=-1), axis=-1)
    # The ranks of n samples alone sum to n (n + 1) / 2.
    above = ranks[..., :n].sum(axis=-1) - n * (n + 1) / 2
    return (above - n * t / 2) / np.sqrt(n * t * (n + t + 1) / 12)


def score_estimate(samples: np.ndarray, test: np.ndarray, seed: int) -> Estimate:
    """`copying_score` with its bootstrap interval, for which both sets are resampled."""
    interval = statistic_interval(copying_score, samples, test, seed=seed)
    return Estimate(float(copying_score(samples, test)), interval, len(samples) + len(test))
