"""How close the images of one dataset come to those of another (arXiv 2310.02557, figure 6)."""

import dataclasses
from typing import Any

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.progress import OnProgress
from keras_gahr.result import Result

from .arrays import CLEAN
from .correlation import SIDE, coarse_set, coarse_shape, most_correlated
from .identical import flat_images
from .stacks import as_stack

EDGES = np.linspace(-1, 1, 101)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Overlap(Result):
    """For each image of a dataset, the closest one of another.

    Attributes:
        correlation: float64 (N,): the largest correlation with any image of the other dataset.
        index: int64 (N,): which image that is.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import find_overlap
        >>> images = np.random.default_rng(0).random((6, 16, 16, 1))
        >>> overlap = find_overlap(images[[5, 2]], images[:4])
        >>> overlap.most(1), overlap.numbers(threshold=0.95)["num_above_threshold"]
        (array([1]), 1)
    """

    correlation: np.ndarray
    index: np.ndarray

    def most(self, count: int) -> np.ndarray:
        """The indices of the `count` images that come closest, the closest first."""
        return np.argsort(-self.correlation, kind="stable")[:count]

    def numbers(self, threshold: float) -> dict[str, Any]:
        """Summary of the correlations, as JSON has it."""
        quantiles = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
        values = np.quantile(self.correlation, quantiles)
        counts, _ = np.histogram(self.correlation.clip(-1, 1), EDGES)
        return {
            "mean": float(self.correlation.mean()),
            "max": float(self.correlation.max()),
            "quantiles": dict(zip(map(str, quantiles), values.tolist(), strict=True)),
            "threshold": threshold,
            "num_above_threshold": int((self.correlation > threshold).sum()),
            "histogram": {"edges": EDGES.round(2).tolist(), "counts": counts.tolist()},
        }


def find_overlap(
    images: np.ndarray, others: np.ndarray, side: int = SIDE, progress: OnProgress = None
) -> Overlap:
    """The largest correlation of each image with any image of another dataset.

    Images are compared as for de-duplication, averaged down to `side` x `side` pixels and without
    their mean, but a negative correlation does not count as close. An image without contrast on that
    grid has the correlation 1 with an identical image, and 0 with all others.

    Args:
        images, others: (N, H, W, C) and (M, H', W', C), uint8 or floats in [0, 1].
        side: pixels of the grid.
        progress: called as progress(images done, images in all).

    Returns:
        The `Overlap`.

    Raises:
        InputError: if the images cannot be compared, or hold anything else.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import find_overlap
        >>> images = np.random.default_rng(0).random((4, 16, 16, 1))
        >>> overlap = find_overlap(0.5 * images[2:3], images)
        >>> overlap.index, overlap.correlation.round(6)
        (array([2]), array([1.]))
    """
    images, others = as_stack(images, limits=CLEAN), as_stack(others, limits=CLEAN)
    shapes = [coarse_shape(array.shape, side) for array in (images, others)]
    if shapes[0] != shapes[1]:
        a, b = (" x ".join(map(str, array.shape[1:])) for array in (images, others))
        raise InputError(
            f"images of {a} and {b} cannot be compared at {side} x {side} pixels: choose a smaller "
            "side, or sets with equally many channels"
        )
    vectors, other_vectors = coarse_set(images, side), coarse_set(others, side)
    correlation, index = most_correlated(vectors, other_vectors, progress)
    if images.shape[1:] == others.shape[1:]:
        known = flat_images(others, other_vectors)
        for key, places in flat_images(images, vectors).items():
            if key in known:
                correlation[places], index[places] = 1, known[key][0]
    return Overlap(correlation, index)
