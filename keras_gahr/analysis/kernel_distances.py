"""How far apart two laws of images are, by samples of both."""

import math

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NOISY
from keras_gahr.datasets.stacks import pixel_values
from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole


def kernel_distance(
    samples: ArrayLike, others: ArrayLike, *, splits: int = 10
) -> tuple[float, float]:
    """The kernel inception distance of Binkowski et al., in pixels: MMD^2 with the kernel (x.y / d + 1)^3.

    The estimate is unbiased, so that it may be below 0, and the same for few samples as for many. No
    network takes part: it sees moments of pixels up to the third order, which is what tells laws of small
    images apart.

    Args:
        samples, others: `(N, H, W[, C])` and `(M, H, W[, C])`, uint8 or floats in [0, 1].
        splits: parts that both are cut into in their order, and whose estimates are averaged.

    Returns:
        The mean over the parts, and its standard error.

    Raises:
        InputError: for images of two shapes, fewer than 2 splits, or fewer than 2 images a part.

    Source: Binkowski, Sutherland, Arbel, Gretton: Demystifying MMD GANs (ICLR 2018, arXiv 1801.01401),
    equation 4 and section 4.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((40, 8, 8))
        >>> distance, error = kg.analysis.kernel_distance(images[:20], images[20:] / 2, splits=4)
        >>> distance > 3 * error
        True
    """
    splits = check_whole(splits, "splits", 2)
    pair = [pixel_values(images, NOISY) for images in (samples, others)]
    if pair[0].shape[1:] != pair[1].shape[1:]:
        raise InputError(
            f"received images of shape {pair[0].shape[1:]} and {pair[1].shape[1:]}, expected one shape"
        )
    if min(map(len, pair)) < 2 * splits:
        raise InputError(
            f"received {min(map(len, pair))} images for {splits} splits, expected two or more for each"
        )
    rows = [images.reshape(len(images), -1).astype(np.float64) for images in pair]
    parts = zip(*(np.array_split(of, splits) for of in rows), strict=True)
    found = np.array([_squared_distance(x, y) for x, y in parts])
    return float(found.mean()), float(found.std(ddof=1) / math.sqrt(splits))


def _squared_distance(x, y):
    return _mean_of_pairs(x) + _mean_of_pairs(y) - 2 * _kernel(x, y).mean()


def _mean_of_pairs(x):
    """The mean of the kernel over pairs of two different rows."""
    kernel = _kernel(x, x)
    return (kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1))


def _kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3
