"""How alike two images are, and which images of a large set come closest (arXiv 2310.02557, figure 2).

Cosine similarity is the cosine of the angle between two images; correlation is the same after the mean
of each was removed; distance is |x - y| / sqrt(d), in units of [0, 1]. A norm of zero counts as
`LEAST_NORM`, so that a constant image is correlated with nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NOISY, check_values, release, to_float
from keras_gahr.datasets.correlation import CONSTANT, rounding
from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.datasets.nearest import Copies, Nearest
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole
from keras_gahr.progress import Progress, shows_progress

from .saved_numbers import SavedNumbers, files_called

MEASURES = ("correlation", "cosine", "distance")
LEAST_NORM = 1e-3

# Samples whose products with a block of images are in memory at once.
_ROWS = 1024

# Images of a block at most, and bytes of it as float32: large products are faster, and what is not larger is
# taken from memory that was used before.
_IMAGES, _BYTES = 2048, 24 * 2**20

# Squared distances below this share of the squared norms, for each pixel, have not all digits of float32
# left after a float64 product.
_NEAR = 1e-9

# Pixel values of pairs that are compared in float64 at once (2 MiB).
_VALUES = 2**18


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Closest(SavedNumbers):
    """For each sample, the closest images of a set, the closest first.

    Attributes:
        index: int64 (N, k): which images.
        value: float64 (N, k): the measure, in float64 from the images as float32.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import closest
        >>> images = np.random.default_rng(0).random((8, 8, 8))
        >>> found = closest(images[:2], images, ["cosine"], count=1)["cosine"]
        >>> found.index[:, 0], found.value[:, 0].round(3)
        (array([0, 1]), array([1., 1.]))
    """

    FILES: ClassVar[tuple[str, ...]] = files_called("closest")

    index: np.ndarray
    value: np.ndarray

    def numbers(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            "samples": len(self.index),
            "index": self.index.tolist(),
            "value": self.value.tolist(),
        }


class _Vectors:
    """Images as vectors without their mean, from whose products all measures follow.

    Removing the means first keeps the digits of cosines near 1 and of small distances.
    """

    def __init__(self, images, dtype: type[np.floating] = np.float32):
        flat = to_vectors(images).astype(dtype, copy=False)
        self.size = flat.shape[1]
        self.means = flat.mean(axis=1).astype(np.float64)
        # In place, unless these are the images themselves. What rounding leaves of the mean counts
        # only by its square.
        out = None if np.may_share_memory(flat, images) else flat
        self.centered = np.subtract(flat, self.means.astype(dtype)[:, None], out=out)
        # In float32 with errors that `margin` allows for, as those of products.
        self.power = np.einsum("nd,nd->n", self.centered, self.centered).astype(np.float64)
        self.whole_power = self.power + self.size * self.means**2

    def norms(self, measure):
        """|x| for the cosine, |x - mean| for the correlation; float64."""
        norms = np.sqrt(self.whole_power if measure == "cosine" else self.power)
        return np.where(norms < CONSTANT * np.sqrt(self.size), LEAST_NORM, norms)

    def scores(self, measure, others, products, rows):
        """What ranks the others for each of some rows, the closest highest, of the products' type.

        The measure itself but for a factor of each row; of the distance -|x - y|^2 / 2. The products
        are those of the centred vectors.
        """
        number = products.dtype.type
        means = number(self.size * self.means[rows, None])
        if measure == "distance":
            # The products of the means, less half of both powers, as a product of three columns.
            power, other_power = self.whole_power[rows] / 2, others.whole_power / 2
            ones, other_ones = np.ones_like(power), np.ones_like(other_power)
            left = np.stack([means[:, 0], ones, -power], axis=1)
            right = np.stack([others.means, -other_power, other_ones])
            scores = number(left) @ number(right)
            scores += products
            return scores
        inverse = 1 / others.norms(measure)
        scores = products * number(inverse)
        if measure == "cosine":
            scores += means * number(others.means * inverse)
        return scores

    def margin(self, measure, others, rows):
        """A bound on the errors of float32 `scores`, for each of some rows, float64."""
        power, whole = self.power[rows], self.whole_power[rows]
        if measure == "distance":
            power = (power + others.power.max()) / 2
            whole = (whole + others.whole_power.max()) / 2
        else:
            power, whole = np.sqrt(power), np.sqrt(whole)
        # NumPy adds in blocks of 128, and pairs of these: a mean is off by up to 24 roundings.
        return rounding(self.size) * power + 32 * rounding(0) * whole

    def as_scores(self, measure, values, rows):
        """The scores that belong to values, times their `_sign`, for each of some rows."""
        if measure == "distance":
            return -self.size * values**2 / 2
        return values * self.norms(measure)[rows]


def to_vectors(images):
    """Images (N, H, W, C), uint8 or any floats, as float (N, d); floats are not clipped."""
    images = to_float(images) if images.dtype in (np.uint8, bool) else np.asarray(images)
    return images.reshape(len(images), -1)


def similarity_matrix(
    images: ArrayLike, others: ArrayLike, measure: str = "correlation"
) -> np.ndarray:
    """The measure between all pairs, block by block.

    Args:
        images, others: (N, H, W, C) and (M, H, W, C), or without C: uint8 or floats.
        measure: one of `MEASURES`.

    Returns:
        float32 (N, M), computed in float64; near copies have the distance of their differences.

    Raises:
        InputError: for an unknown measure, images of different shapes, or values that are not finite.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import similarity_matrix
        >>> images = np.random.default_rng(0).random((3, 4, 4, 1))
        >>> similarity_matrix(images, images).diagonal().round(4)
        array([1., 1., 1.], dtype=float32)
    """
    images, others = as_stack(images), as_stack(others)
    check_comparable(images, others, [measure])
    matrix = np.empty((len(images), len(others)), np.float32)
    rows, first = _Vectors(images, np.float64), 0
    for part in _parts(others):
        columns = _Vectors(part, np.float64)
        for row in range(0, len(images), _ROWS):
            some = slice(row, row + _ROWS)
            products = rows.centered[some] @ columns.centered.T
            scores = rows.scores(measure, columns, products, some)
            if measure == "distance":
                found = np.sqrt(np.maximum(-2 * scores / rows.size, 0))
                # What is small compared with the products has lost its digits.
                powers = rows.whole_power[some, None] + columns.whole_power
                i, j = np.nonzero(-2 * scores < _NEAR * rows.size * powers)
                found[i, j] = _measure_pairs(measure, images[some], part, i, j)
            else:
                found = scores / rows.norms(measure)[some, None]
            matrix[some, first : first + len(part)] = found
        first += len(part)
    return matrix


def _parts(images):
    """Yields a set in order, in parts whose products with some rows are of a good size."""
    rows = max(1, min(_IMAGES, _BYTES // (4 * images[0].size)))
    for start in range(0, len(images), rows):
        yield images[start : start + rows]
        release(images)


def paired_similarity(
    images: ArrayLike, others: ArrayLike, measure: str = "correlation"
) -> np.ndarray:
    """The measure between each image and the other of the same place, float64 (N,).

    Args, errors: see `similarity_matrix`; here N = M.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import paired_similarity
        >>> images = np.random.default_rng(0).random((2, 4, 4, 1))
        >>> paired_similarity(images, images + 0.1, "distance").round(4)
        array([0.1, 0.1])
    """
    images, others = as_stack(images), as_stack(others)
    check_comparable(images, others, [measure])
    if len(images) != len(others):
        raise InputError(
            f"received {len(images)} images and {len(others)} others, expected as many of each"
        )
    return measure_pairs(measure, images, others)


def measure_pairs(measure: str, images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The measure between images, or vectors, and others of the same place, float64 (N,)."""
    return np.concatenate(
        [
            _measure_rows(measure, images[start : start + _ROWS], others[start : start + _ROWS])
            for start in range(0, len(images), _ROWS)
        ]
    )


def _measure_rows(measure, images, others):
    """The measure between images and others of the same place, in float64."""
    if measure == "distance":
        # Not from the products: of nearly equal images these cancel.
        difference = to_vectors(images).astype(np.float64)
        difference -= to_vectors(others)
        return np.sqrt(np.einsum("nd,nd->n", difference, difference) / difference.shape[1])
    a, b = _Vectors(images, np.float64), _Vectors(others, np.float64)
    products = np.einsum("nd,nd->n", a.centered, b.centered)
    if measure == "cosine":
        products = products + a.size * a.means * b.means
    return products / a.norms(measure) / b.norms(measure)


def _measure_pairs(measure, images, others, i, j):
    """The measure between images[i] and others[j] for arrays of places, in float64 (n,)."""
    values = np.empty(len(i))
    count = max(1, _VALUES // images[0].size)
    for start in range(0, len(i), count):
        some = slice(start, start + count)
        values[some] = _measure_rows(measure, images[i[some]], others[j[some]])
    return values


@shows_progress("comparing")
def closest(
    samples: ArrayLike,
    images: ArrayLike,
    measures: Sequence[str] = MEASURES,
    count: int = 2,
    progress: Progress = None,
) -> dict[str, Closest]:
    """The images of a set that come closest to each sample, by each measure, in one pass.

    The search is by float32 products. All images that may be among the closest, with regard to how such
    products are rounded, are compared in float64, so that neither near copies nor the kind of processor
    decide which ones are found.

    Memory: the samples as float32, and a few tens of MB whatever the size of the set.

    Args:
        samples: (N, H, W, C) or (N, H, W), uint8 or floats, which need not lie in [0, 1].
        images: (M, H, W, C) or (M, H, W), uint8 or floats, such as the memory map of a dataset.
        measures: some of `MEASURES`.
        count: how many of the closest images to find; M at most.
        progress: called as progress(images done, images in all).

    Returns:
        A dictionary: measure -> `Closest` with k = min(count, M). Of equally close images, the first
        one comes first.

    Raises:
        InputError: see `similarity_matrix`.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import closest
        >>> images = np.random.default_rng(0).random((8, 4, 4))
        >>> closest(images[2:4], images, count=1)["distance"].index.ravel()
        array([2, 3])
    """
    assert callable(progress)  # As the decorator makes it.
    # The values of the images are checked as they are read: a large set is read once.
    samples, images = as_stack(samples), as_stack(images, limits=None)
    check_comparable(samples, images, measures)
    return _closest(
        samples,
        images,
        measures,
        count,
        progress,
        lambda part: check_values(part, "the array", NOISY),
    )


@shows_progress("comparing")
def closest_features(
    features: ArrayLike,
    others: ArrayLike,
    measures: Sequence[str] = ("distance",),
    count: int = 2,
    progress: Progress = None,
) -> dict[str, Closest]:
    """The vectors of a set that come closest to each of some vectors: `closest` of `Features.of`.

    Args:
        features, others: (N, k) and (M, k), any finite floats, which are compared as float32; or pixels as
            uint8.
        measures, count, progress: see `closest`.

    Returns:
        As `closest`; the distance is |x - y| / sqrt(k).

    Raises:
        InputError: see `similarity_matrix`.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import closest_features
        >>> vectors = np.random.default_rng(0).normal(0, 100, (8, 4))
        >>> closest_features(vectors[2:4], vectors, count=1)["distance"].index.ravel()
        array([2, 3])
    """
    assert callable(progress)  # As the decorator makes it.
    vectors, columns = array_of(features), array_of(others)
    for array in (vectors, columns):
        if (
            array.ndim != 2
            or not array.size
            or not (array.dtype.kind == "f" or array.dtype == np.uint8)
        ):
            raise InputError(
                f"received features of shape {array.shape} and type {array.dtype}, expected floats (N, k)"
            )
    if vectors.shape[1] != columns.shape[1]:
        raise InputError(
            f"received vectors of {vectors.shape[1]} and of {columns.shape[1]} numbers, expected as many"
        )
    _check_measures(measures)
    _check_finite(vectors)
    return _closest(vectors, columns, measures, count, progress, _check_finite)


def _check_finite(features):
    if not np.isfinite(features).all():
        raise InputError(
            "received features that are not finite: leave out those of samples that diverged"
        )


def _closest(samples, images, measures, count, progress, check):
    """See `closest`; `check` is given each part of the images."""
    count = check_whole(count, "count", 1)
    samples = _narrow(samples)
    rows, first = _Vectors(samples), 0
    copies = Copies(count)
    best = {measure: Nearest(len(samples), min(count, len(images))) for measure in measures}
    for part in _parts(images):
        check(part)
        part = _narrow(part)
        with copies.of_block(part) as block:
            _take_in(best, rows, samples, first, block)
        first += len(part)
        progress(first, len(images))
    return {
        measure: Closest(found.index, _sign(measure) * found.value)
        for measure, found in best.items()
    }


def _narrow(images):
    """Floats as float32, which is what is searched: other numbers would be closest to others."""
    return images if images.dtype == np.uint8 else images.astype(np.float32, copy=False)


@np.errstate(over="ignore", invalid="ignore")
def _take_in(best, rows, samples, first, block):
    """Compares the samples, whose vectors are `rows`, with a block of images; `first` names its first one."""
    images = block.images
    columns, names = _Vectors(images), first + np.arange(len(images))
    for row in range(0, len(samples), _ROWS):
        some = slice(row, row + _ROWS)
        products = rows.centered[some] @ columns.centered.T
        for measure, found in best.items():
            found.update(
                some,
                names,
                rows.scores(measure, columns, products, some),
                rows.margin(measure, columns, some),
                lambda i, j, measure=measure, start=row: (
                    _sign(measure) * _measure_pairs(measure, samples, images, start + i, j)
                ),
                lambda value, measure=measure, some=some: rows.as_scores(measure, value, some),
                block.can_be_closest,
            )


def _sign(measure):
    """With this factor the closest images have the highest values."""
    return -1 if measure == "distance" else 1


def check_comparable(images, others, measures):
    """Raises `InputError` unless the images can be compared with the others by these measures."""
    _check_measures(measures)
    for array in (images, others):
        if array.ndim != 4 or not array.size:
            raise InputError(
                f"received images of shape {array.shape}, expected (count, height, width, channels)"
            )
    if images.shape[1:] != others.shape[1:]:
        a, b = ("x".join(map(str, array.shape[1:])) for array in (images, others))
        raise InputError(f"received images of {a} and of {b}, expected one size: choose equal sets")


def _check_measures(measures):
    for measure in measures:
        if measure not in MEASURES:
            raise InputError(f"received measure {measure!r}, expected {', '.join(MEASURES)}")
