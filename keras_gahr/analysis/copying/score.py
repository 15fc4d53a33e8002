"""C_T, a test for copying of the training set (Meehan et al., arXiv 2004.05675)."""

from __future__ import annotations

import numpy as np
from scipy import stats

from ..intervals import area_interval
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


def score_estimate(samples: np.ndarray, test: np.ndarray) -> Estimate:
    """`copying_score` with its interval, that of the area U / (N T), of which it is a multiple."""
    n, t = len(samples), len(test)
    score, scale = float(copying_score(samples, test)), np.sqrt(12 * n * t / (n + t + 1))
    low, high = area_interval(float(np.clip(0.5 + score / scale, 0, 1)), n, t)
    return Estimate(score, (float(scale * (low - 0.5)), float(scale * (high - 0.5))), n + t)
