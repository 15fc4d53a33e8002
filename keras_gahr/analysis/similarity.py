"""How alike two images are, and which images of a large set come closest (arXiv 2310.02557, figure 2).

Cosine similarity is the cosine of the angle between two images; correlation is the same after the mean
of each was removed; distance is |x - y| / sqrt(d), in units of [0, 1]. A norm of zero counts as
`LEAST_NORM`, so that a constant image is correlated with nothing.
"""

import dataclasses

import numpy as np

from keras_gahr.datasets.arrays import blocks, take, to_float
from keras_gahr.datasets.correlation import BLOCK, CONSTANT
from keras_gahr.errors import InputError

MEASURES = ("correlation", "cosine", "distance")
LEAST_NORM = 1e-3

# Found with float32 products, then compared again in float64: images that differ by less than the
# rounding of a product cannot hide the closest one, unless there are more of them than this.
_CANDIDATES = 8

# Samples whose products with a block of images are in memory at once.
_ROWS = 512


@dataclasses.dataclass(frozen=True, eq=False)
class Closest:
    """For each sample, the closest images of a set, the closest first.

    Attributes:
        index: int64 (N, k): which images.
        value: float64 (N, k): the measure, in float64 from the images as float32.
    """

    index: np.ndarray
    value: np.ndarray


class _Vectors:
    """Images as vectors without their mean, from whose products all measures follow.

    Removing the means first keeps the digits of cosines near 1 and of small distances.
    """

    def __init__(self, images, dtype=np.float32):
        flat = to_vectors(images).astype(dtype, copy=False)
        self.size = flat.shape[1]
        means = flat.mean(axis=1, dtype=np.float64).astype(dtype)
        self.centered = flat - means[:, None]
        self.means = means.astype(np.float64)
        self.power = np.einsum("nd,nd->n", self.centered, self.centered, dtype=np.float64)

    def norms(self, measure):
        """|x| for the cosine, |x - mean| for the correlation; float64."""
        power = self.power + (self.size * self.means**2 if measure == "cosine" else 0)
        norms = np.sqrt(power)
        return np.where(norms < CONSTANT * np.sqrt(self.size), LEAST_NORM, norms)

    def scores(self, measure, others, products, rows):
        """What ranks the others for each of some rows, the closest highest, float32.

        The measure itself but for a factor of each row; of the distance -|x - y|^2. The products
        are those of the centred vectors.
        """
        means, other_means = self.means[rows, None].astype(np.float32), np.float32(others.means)
        if measure == "distance":
            scores = 2 * products
            scores -= np.float32(self.power[rows, None])
            scores -= np.float32(others.power)
            offsets = means - other_means
            offsets *= offsets
            offsets *= self.size
            scores -= offsets
            return scores
        inverse = 1 / others.norms(measure)
        scores = products * np.float32(inverse)
        if measure == "cosine":
            scores += means * np.float32(self.size * others.means * inverse)
        return scores


def to_vectors(images):
    """Images (N, H, W, C), uint8 or any floats, as float (N, d); floats are not clipped."""
    images = to_float(images) if images.dtype == np.uint8 else np.asarray(images)
    return images.reshape(len(images), -1)


def similarity_matrix(images, others, measure="correlation"):
    """The measure between all pairs, block by block.

    Args:
        images, others: (N, H, W, C) and (M, H, W, C), uint8 or floats.
        measure: one of `MEASURES`.

    Returns:
        float32 (N, M), right to the rounding of float32 products: distances below about 1e-3 are
        rough (`closest` and `paired_similarity` have no such limit).

    Raises:
        InputError: for an unknown measure, images of different shapes, or values that are not finite.
    """
    check_comparable(images, others, [measure])
    matrix = np.empty((len(images), len(others)), np.float32)
    rows = _Vectors(images)
    for part, first, columns, products in _products(rows, others):
        place = slice(first, first + len(columns.means))
        matrix[part, place] = rows.scores(measure, columns, products, part)
    if measure == "distance":
        return np.sqrt(np.maximum(-matrix / rows.size, 0))
    return matrix / np.float32(rows.norms(measure))[:, None]


def _products(rows, images):
    """Yields (rows, index of the first image, vectors of images, products) for each block of pairs."""
    first = 0
    for block in blocks(images):
        for start in range(0, len(block), BLOCK):
            columns = _Vectors(block[start : start + BLOCK])
            for row in range(0, len(rows.means), _ROWS):
                part = slice(row, min(row + _ROWS, len(rows.means)))
                yield part, first, columns, rows.centered[part] @ columns.centered.T
            first += len(columns.means)


def paired_similarity(images, others, measure="correlation"):
    """The measure between each image and the other of the same place, float64 (N,).

    Args, errors: see `similarity_matrix`; here N = M.
    """
    check_comparable(images, others, [measure])
    if len(images) != len(others):
        raise InputError(
            f"received {len(images)} images and {len(others)} others, expected as many of each"
        )
    return np.concatenate(
        [
            _measure_rows(measure, images[start : start + _ROWS], others[start : start + _ROWS])
            for start in range(0, len(images), _ROWS)
        ]
    )


def _measure_rows(measure, images, others):
    """The measure between images and others of the same place, in float64."""
    a, b = _Vectors(images, np.float64), _Vectors(others, np.float64)
    if measure == "distance":
        # Not from the products: of nearly equal images these cancel.
        difference = to_vectors(images).astype(np.float64) - to_vectors(others)
        return np.sqrt(np.mean(difference**2, axis=1))
    products = np.einsum("nd,nd->n", a.centered, b.centered)
    if measure == "cosine":
        products = products + a.size * a.means * b.means
    return products / a.norms(measure) / b.norms(measure)


def closest(samples, images, measures=MEASURES, count=2, progress=None):
    """The images of a set that come closest to each sample, by each measure, in one pass.

    Memory: the samples as float32, and a few tens of MB whatever the size of the set.

    Args:
        samples: (N, H, W, C), uint8 or floats; samples need not lie in [0, 1].
        images: (M, H, W, C), uint8 or floats, such as the memory map of a dataset.
        measures: some of `MEASURES`.
        count: how many of the closest images to find; M at most, and 8 at most.
        progress: called as progress(images done, images in all).

    Returns:
        A dictionary: measure -> `Closest` with k = min(count, M). Of equally close images, the first
        one comes first.

    Raises:
        InputError: see `similarity_matrix`.
    """
    check_comparable(samples, images, measures)
    if not 1 <= count <= _CANDIDATES:
        raise InputError(f"received count = {count}, expected 1 to {_CANDIDATES} closest images")
    rows = _Vectors(samples)
    kept = min(_CANDIDATES, len(images))
    best = {measure: _Best(len(samples), kept) for measure in measures}
    for part, first, columns, products in _products(rows, images):
        for measure in measures:
            best[measure].update(part, rows.scores(measure, columns, products, part), first)
        if progress and part.stop == len(samples):
            progress(first + len(columns.means), len(images))
    return {
        measure: _rank(samples, images, measure, best[measure].index, min(count, kept))
        for measure in measures
    }


class _Best:
    """The highest scores so far of each sample, and which images had them."""

    def __init__(self, samples, kept):
        self.score = np.full((samples, kept), -np.inf, np.float32)
        self.index = np.zeros((samples, kept), np.int64)

    def update(self, rows, scores, first):
        """Takes in the scores (rows, images) of a block whose first image is `first`.

        The highest of each row replaces the lowest one kept, as long as it is higher: once some
        blocks have been seen, that is faster than a partial sort of every row.
        """
        places = np.arange(rows.start, rows.stop)
        while len(places):
            found = scores.argmax(axis=1)
            value = scores[np.arange(len(scores)), found]
            lowest = self.score[places].argmin(axis=1)
            better = value > self.score[places, lowest]
            places, scores = places[better], scores[better]
            found, lowest = found[better], lowest[better]
            self.score[places, lowest] = value[better]
            self.index[places, lowest] = first + found
            scores[np.arange(len(scores)), found] = -np.inf


def _rank(samples, images, measure, candidates, count):
    """The `Closest` among the candidates (N, K) of each sample, compared in float64."""
    kept = candidates.shape[1]
    value = np.empty(candidates.shape)
    rows = max(1, _ROWS // kept // 8)
    for start in range(0, len(samples), rows):
        part = slice(start, start + rows)
        chosen = take(images, candidates[part].ravel())
        repeated = np.repeat(samples[part], kept, axis=0)
        value[part] = _measure_rows(measure, repeated, chosen).reshape(-1, kept)
    scores = value if measure == "distance" else -value
    order = np.lexsort((candidates, scores), axis=1)[:, :count]
    return Closest(
        np.take_along_axis(candidates, order, axis=1), np.take_along_axis(value, order, axis=1)
    )


def check_comparable(images, others, measures):
    """Raises `InputError` unless the images can be compared with the others by these measures."""
    for measure in measures:
        if measure not in MEASURES:
            raise InputError(f"received measure {measure!r}, expected {', '.join(MEASURES)}")
    for array in (images, others):
        if array.ndim != 4 or not array.size:
            raise InputError(
                f"received images of shape {array.shape}, expected (count, height, width, channels)"
            )
    if images.shape[1:] != others.shape[1:]:
        a, b = ("x".join(map(str, array.shape[1:])) for array in (images, others))
        raise InputError(f"received images of {a} and of {b}, expected one size: choose equal sets")
    if not all(np.isfinite(part).all() for part in blocks(images)):
        raise InputError("received images that are not finite: leave out those that diverged")
