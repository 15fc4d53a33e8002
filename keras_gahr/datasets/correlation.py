"""Correlation of small images, between all pairs of large sets.

Two images are compared by the correlation of their averages over a coarse grid: the cosine of the
angle between the two, after the mean of each was removed. This is how arXiv 2310.02557 looks for
repeated pictures, on a grid of 20 x 20. Of colour images the mean of each channel is, since a tint that
all images of a set have would make any two of them alike.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole
from keras_gahr.progress import OnProgress

from .arrays import blocks, check_values
from .nearest import Copies, Nearest

SIDE = 20

# Smaller deviations than this, root mean square in [0, 1], are the rounding of a constant image.
CONSTANT = 1e-9

# 16 MiB of float32 for a block of correlations, which large products need to be fast.
BLOCK = 2048

# Pairs that are computed again at once: their images take some MB.
CHUNK = 128


def coarse_shape(shape: Sequence[int], side: int = SIDE) -> tuple[int, int, int]:
    """The shape (h, w, C) of the averages of images (..., H, W, C): at most `side` high and wide."""
    return min(side, shape[-3]), min(side, shape[-2]), shape[-1]


def coarse(images: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Images averaged down to `side` x `side` pixels, without the mean of each channel, of norm 1.

    Where `side` divides the height these are averages over blocks; where it does not, a pixel that
    lies across a border counts for both sides, in proportion to its area. An image that is not so
    high stays as it is. Likewise for the width. An image without contrast on the grid has no
    direction: it gives zeros, so that it is correlated with nothing (see `identical`).

    Args:
        images: (N, H, W, C), uint8 or floats in [0, 1].
        side: pixels of the grid.

    Returns:
        float64 (N, h w C), with h = min(side, H) and w = min(side, W).
    """
    height, width, channels = coarse_shape(images.shape, side)
    scale = 255 if images.dtype == np.uint8 else 1
    down, across = _averaging(images.shape[1], height), _averaging(images.shape[2], width)
    averages = np.empty((len(images), channels, height, width))
    for channel in range(channels):
        plane = images[..., channel].astype(np.float64)
        np.matmul(down @ plane, across.T, out=averages[:, channel])
    averages -= averages.mean(axis=(2, 3), keepdims=True)
    vectors = averages.reshape(len(images), -1) / scale
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
    constant = norms < CONSTANT * np.sqrt(vectors.shape[1])
    return np.where(constant, 0, vectors / np.where(constant, 1, norms))


def _averaging(old, new):
    """The matrix (new, old) that averages `old` pixels down to `new`."""
    edges = np.arange(new)[:, None] * old / new
    pixels = np.arange(old)
    overlap = np.minimum(pixels + 1, edges + old / new) - np.maximum(pixels, edges)
    return np.clip(overlap, 0, None) * new / old


def coarse_set(images: np.ndarray, side: int = SIDE, progress: OnProgress = None) -> np.ndarray:
    """`coarse` of a whole dataset as float32 (N, d), read block by block.

    Args:
        images: (N, H, W, C), uint8 or floats in [0, 1].
        side: pixels of the grid, at least 2.
        progress: called as progress(images done, images in all).

    Raises:
        InputError: if the images hold anything else, or the side is below 2.
    """
    if (side := check_whole(side, "side", 0)) < 2:
        raise InputError(f"the side is {side}: expected 2 pixels or more")
    vectors = np.empty((len(images), int(np.prod(coarse_shape(images.shape, side)))), np.float32)
    done = 0
    for block in blocks(images):
        check_values(block, "the dataset")
        for start in range(0, len(block), BLOCK // 4):
            part = block[start : start + BLOCK // 4]
            vectors[done : done + len(part)] = coarse(part, side)
            done += len(part)
        if progress:
            progress(done, len(images))
    return vectors


def rounding(size: int) -> float:
    """A bound on the error of a float32 product of two vectors of `coarse_set` with `size` entries.

    The textbook bound for a sum of that many products in any order is size u for vectors of norm 1,
    with u = 2^-24; rounding the vectors adds 2 u, and as much again is spare.
    """
    return 2 * (size + 2) * 2.0**-24


def triangle(count: int, block: int | None = None) -> Iterator[tuple[slice, slice]]:
    """Yields the pairs of blocks (rows, columns), two slices, in which every i < j has its place.

    The columns ascend, and the rows below each of them. The last rows of each column are the
    columns themselves, where half of the product is wasted: block / count of it all.

    Args:
        count: number of vectors.
        block: rows and columns of a block; by default so that less than an eighth is wasted.
    """
    block = block or max(1, min(BLOCK, count // 8))
    for column in range(0, count, block):
        for row in range(0, column + 1, block):
            yield slice(row, row + block), slice(column, min(column + block, count))


def most_correlated(
    vectors: np.ndarray, others: np.ndarray, progress: OnProgress = None
) -> tuple[np.ndarray, np.ndarray]:
    """For each vector, the largest correlation with any of the others.

    Args:
        vectors, others: float32 (N, d) and (M, d) from `coarse_set`.
        progress: called as progress(vectors done, vectors in all).

    Returns:
        The correlations of these vectors, float64 (N,), and the indices of those others, int64 (N,):
        the first one where several are equally close.
    """
    found = Nearest(len(vectors), 1)
    # A constant image is equally far from all: 1 is above any score, so that nothing is compared.
    constant = ~vectors.any(axis=1)
    found.value[constant] = found.index[constant] = 0
    margins = np.where(constant, -1, rounding(vectors.shape[1]))
    kept = Copies(1).places(others)
    for start in range(0, len(vectors), BLOCK):
        rows = slice(start, min(start + BLOCK, len(vectors)))
        for first in range(0, len(kept), BLOCK):
            names = kept[first : first + BLOCK]
            some = others[names]

            def exact(i, j, some=some, start=start):
                return products(vectors, some, start + i, j)

            found.update(rows, names, vectors[rows] @ some.T, margins[rows], exact)
        if progress:
            progress(rows.stop, len(vectors))
    return found.value[:, 0], found.index[:, 0]


def products(vectors: np.ndarray, others: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """The products of vectors[i] and others[j] for arrays of places, in float64 (n,)."""
    value = np.empty(len(i))
    for start in range(0, len(i), CHUNK):
        part = slice(start, start + CHUNK)
        a, b = vectors[i[part]].astype(np.float64), others[j[part]].astype(np.float64)
        value[part] = (a * b).sum(axis=1)
    return value
