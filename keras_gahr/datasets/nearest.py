"""The closest of many candidates, searched by fast products and decided by exact values.

A float32 product of vectors is rounded, each kind of processor does it in its own way, and |a|^2 + |b|^2 -
2ab cancels for near copies. So products only tell which pairs may be among the closest; those are computed
again.
"""

import collections
import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from .identical import digest

_MANY = 4
"""Candidates in the place of one: so many more are due to copies, or nearly so."""


class Nearest:
    """The highest values of each row so far, and which candidates have them.

    Args:
        rows: how many rows there are.
        count: how many candidates to keep for each.

    Attributes:
        value: float64 (rows, count), the highest first; -inf where there was no candidate yet.
        index: int64 (rows, count): the candidates; of equal values the first comes first.
    """

    def __init__(self, rows: int, count: int) -> None:
        self.value = np.full((rows, count), -np.inf)
        self.index = np.full((rows, count), -1)

    def update(
        self,
        rows: slice,
        candidates: np.ndarray,
        scores: np.ndarray,
        margin: np.ndarray,
        exact: Callable[[np.ndarray, np.ndarray], np.ndarray],
        as_score: Callable[[np.ndarray], np.ndarray] | None = None,
        among: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        """Takes in the candidates of a block.

        Args:
            rows: a slice of the rows.
            candidates: int64 (columns,): what the candidates of this block are called.
            scores: float32 (rows, columns): roughly `as_score` of the values.
            margin: float64 (rows,): bounds on the errors of the scores.
            exact: a function of places (i, j) in the scores that returns their values, float64.
            as_score: an ascending function of values (rows,), one for each row; by default the scores
                are the values.
            among: a function of places j that tells which of these candidates count; by default all. It is
                asked where there are many.
        """
        lowest = self.value[rows, -1]
        limit = (as_score(lowest) if as_score else lowest) - margin
        i, j = _close_ones(scores, limit, margin, self.value.shape[1])
        if among and len(i) > _MANY * self.value[rows].size:
            kept = among(j)
            i, j = i[kept], j[kept]
        if len(i):
            self._merge(i + rows.start, candidates[j], exact(i, j))

    def _merge(self, rows, candidates, values):
        touched, count = np.unique(rows), self.value.shape[1]
        rows = np.concatenate([np.repeat(touched, count), rows])
        candidates = np.concatenate([self.index[touched].ravel(), candidates])
        values = np.concatenate([self.value[touched].ravel(), values])
        order = np.lexsort((candidates, -values, rows))
        starts = np.searchsorted(rows[order], touched)
        highest = order[starts[:, None] + np.arange(count)]
        self.value[touched], self.index[touched] = values[highest], candidates[highest]


def _close_ones(scores, limit, margin, count):
    """The places of the scores that may belong to one of the highest `count` values of their row."""
    # Scores that are no numbers, after an overflow, are close.
    rows = np.flatnonzero(~(scores.max(axis=1) < np.asarray(limit, np.float32)))
    i, j = np.nonzero(~(scores[rows] < np.asarray(limit, np.float32)[rows, None]))
    i = rows[i]
    many = np.flatnonzero(np.bincount(i, minlength=len(scores)) > count)
    if len(many):
        lowest = np.partition(scores[many], -count, axis=1)[:, -count]
        limit[many] = np.maximum(limit[many], lowest - 2 * margin[many])
        close = ~(scores[i, j] < np.asarray(limit, np.float32)[i])
        i, j = i[close], j[close]
    return i, j


class Copies:
    """Tells which images of a set can be among the closest: no more than `count` equal ones.

    Without it a set with many equal images, which are all equally close, would be compared pair by pair.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._seen = collections.Counter()

    def places(self, images: np.ndarray) -> np.ndarray:
        """The places in a block of images of all but further copies, int64; call it in their order."""
        with self.of_block(images) as block:
            return np.flatnonzero(block.can_be_closest(np.arange(len(images))))

    @contextlib.contextmanager
    def of_block(self, images: np.ndarray) -> Iterator["BlockCopies"]:
        """Within it, what is known of a block of images; enter it in their order."""
        block = BlockCopies(images, self.count, self._seen)
        yield block
        self._seen.update(block.digests.values())


class BlockCopies:
    """Of a block, looks only at the images that are asked for: those that may be among the closest.

    A further copy of one that was not asked for may not be among the closest either.

    Args:
        images: of the block.
        count: how many equal ones can be among the closest.
        seen: how often images of a digest were asked for in earlier blocks.

    Attributes:
        digests: place -> digest of those that were asked for in this one.
    """

    def __init__(self, images: np.ndarray, count: int, seen: collections.Counter) -> None:
        self.images = images
        self.count = count
        self.seen = seen
        self.digests: dict[int, bytes] = {}

    def can_be_closest(self, places: np.ndarray) -> np.ndarray:
        """Which of some places, in any order, hold no further copies; bool.

        Copies are told from each other by their places, so that the first ones are kept.
        """
        unique, inverse = np.unique(places, return_inverse=True)
        here = collections.Counter()
        kept = np.empty(len(unique), bool)
        for k, place in enumerate(unique.tolist()):
            if place not in self.digests:
                self.digests[place] = digest(self.images[place])
            key = self.digests[place]
            kept[k] = self.seen[key] + here[key] < self.count
            here[key] += 1
        return kept[inverse]
