"""How far samples are from training images and from each other, and training images from each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ..memorization import distance_ratio
from ..similarity import closest_features

_LEAST_ROWS = 1000
"""Training images of which the closest other one is looked for, if there are as many: all of a large set
would take as long as that set has images."""


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """Distances |x - y| / sqrt(k) and cosines of vectors, float64.

    Attributes:
        index: int64 (N,): the closest training image of each sample.
        distance: (N, 2): the distances to the closest and the second closest.
        cosine: (N,): the highest with any training image.
        own: (N,): from the closest training image to its closest other one.
        others: (N,): to the closest other sample.
        radius: a quantile of the distances from training images to their closest other one.
        test: (T,): from test images to their closest training images; None without a test set.
    """

    index: np.ndarray
    distance: np.ndarray
    cosine: np.ndarray
    own: np.ndarray
    others: np.ndarray
    radius: float
    test: np.ndarray | None

    @property
    def ratio(self) -> np.ndarray:
        """d1 / d2, see `distance_ratio`."""
        return distance_ratio(self.distance)

    @property
    def authentic(self) -> np.ndarray:
        """bool (N,): farther from the closest training image than that is from its closest other one."""
        return self.distance[:, 0] > self.own

    @property
    def classes(self) -> np.ndarray:
        """(N,): "memorized", "spurious" or "generalized", see `copying_report`."""
        memorized = self.distance[:, 0] <= self.radius
        spurious = self.others <= self.radius
        return np.where(memorized, "memorized", np.where(spurious, "spurious", "generalized"))


def neighbours(
    samples: np.ndarray,
    training: np.ndarray,
    test: np.ndarray | None,
    quantile: float,
    seed: int,
    progress: Callable[[int, int], object],
) -> Neighbours:
    """The `Neighbours` of vectors.

    Args:
        samples, training, test: (N, k), (M, k) and (T, k), of at least two; see `closest_features`.
        quantile: of the radius.
        seed: of the choice of training images of which the radius is the quantile.
        progress: called as progress(passes done, passes in all).
    """
    found = closest_features(samples, training, ["distance", "cosine"], progress=False)
    progress(1, 4)
    index = found["distance"].index[:, 0]
    of_test = None
    if test is not None:
        of_test = closest_features(test, training, count=1, progress=False)["distance"].value[:, 0]
    progress(2, 4)
    count = min(len(training), max(_LEAST_ROWS, len(samples)))
    drawn = np.random.default_rng(seed).choice(len(training), count, replace=False)
    rows = np.unique(np.concatenate([index, drawn]))
    own = _to_others(training, rows)
    progress(3, 4)
    others = _to_others(samples, np.arange(len(samples)))
    progress(4, 4)
    return Neighbours(
        index=index,
        distance=found["distance"].value,
        cosine=found["cosine"].value[:, 0],
        own=own[np.searchsorted(rows, index)],
        others=others,
        radius=float(np.quantile(own[np.searchsorted(rows, drawn)], quantile)),
        test=of_test,
    )


def _to_others(vectors, rows):
    """The distances from some vectors of a set to the closest other one, float64."""
    found = closest_features(vectors[rows], vectors, count=2, progress=False)["distance"]
    # Of many equal vectors two are found, which need not be this one.
    itself = found.index[:, 0] == rows
    return np.where(itself, found.value[:, 1], found.value[:, 0])
