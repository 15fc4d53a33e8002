"""Repeated images: finding them, and a dataset without them (arXiv 2310.02557, appendix A.1)."""

import dataclasses
import itertools
from os import PathLike

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.noise import check_number
from keras_gahr.progress import OnProgress
from keras_gahr.result import Result

from .arrays import CLEAN, blocks, release, to_float
from .correlation import CHUNK, SIDE, coarse, coarse_set, products, rounding, triangle
from .identical import flat_images
from .stacks import as_stack
from .store import Dataset, load
from .writer import writing

THRESHOLD = 0.95

# The pairs that are listed one by one: ten thousand images alike make fifty million pairs.
LISTED = 10_000


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Repeats(Result):
    """The repeated images of a dataset.

    Attributes:
        first: int64 (N,): the first image that an image repeats, or -1.
        correlation: float64 (N,): the correlation with it, or 0.
        count: the number of pairs.
        pairs: the first ten thousand pairs (i, j, correlation), i < j, sorted by j and i.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import find_repeats
        >>> images = np.random.default_rng(0).random((4, 16, 16, 1))
        >>> images[3] = images[1]
        >>> repeats = find_repeats(images)
        >>> repeats.first.tolist(), repeats.dropped.tolist()
        ([-1, -1, -1, 1], [3])
    """

    first: np.ndarray
    correlation: np.ndarray
    count: int
    pairs: list[tuple[int, int, float]]

    @property
    def dropped(self) -> np.ndarray:
        """The indices of the images to drop, sorted."""
        return np.flatnonzero(self.first >= 0)


def find_repeats(
    images: np.ndarray, threshold: float = THRESHOLD, side: int = SIDE, progress: OnProgress = None
) -> Repeats:
    """The images that repeat an earlier one.

    Image j repeats image i < j if the magnitude of their correlation exceeds the threshold, both
    averaged down to `side` x `side` pixels (see `correlation.coarse`), computed in float64. The
    later image of every such pair is to be dropped, also if the earlier one is dropped itself. An
    image without contrast on that grid has no correlation: it repeats identical images, and no
    others.

    All pairs are looked at in float32, in blocks of a triangular matrix product; those whose
    correlation is within rounding of the threshold are computed again in float64 before they are
    decided, so the decisions are those of float64 throughout. Memory: 4 bytes for each image and
    pixel of the grid, and less than 200 MB.

    Args:
        images: (N, H, W, C), uint8 or floats in [0, 1].
        threshold: in (0, 1).
        side: pixels of the grid.
        progress: called as progress(images compared, images in all).

    Returns:
        The `Repeats`.

    Raises:
        InputError: if the threshold is out of range, or the images hold anything else.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import find_repeats
        >>> images = np.random.default_rng(0).random((4, 16, 16, 1))
        >>> images[2] = 0.9 * images[0]
        >>> find_repeats(images).first.tolist()
        [-1, -1, 0, -1]
    """
    if not 0 < (threshold := check_number(threshold, "threshold")) < 1:
        raise InputError(f"the threshold is {threshold}: expected a correlation between 0 and 1")
    images = as_stack(images, limits=CLEAN)
    vectors = coarse_set(images, side)
    margin = rounding(vectors.shape[1])
    first = np.full(len(images), -1)
    count, pairs = 0, []
    for rows, columns in triangle(len(images)):
        product = vectors[rows] @ vectors[columns].T
        np.abs(product, out=product)
        if product.max() > threshold - margin:
            i, j = np.nonzero(product > threshold - margin)
            sure = product[i, j] > threshold + margin
            i, j = i + rows.start, j + columns.start
            # A block of the diagonal holds its pairs twice, and images with themselves.
            i, j, sure = (part[i < j] for part in (i, j, sure))
            sure[~sure] = _exceed(threshold, images, vectors, i[~sure], j[~sure], side)
            i, j = i[sure], j[sure]
            # i ascends, so a first occurrence of j is its first pair, here and over the blocks.
            later, place = np.unique(j, return_index=True)
            new = first[later] < 0
            first[later[new]] = i[place[new]]
            room = LISTED - len(pairs)
            pairs += zip(i[:room].tolist(), j[:room].tolist(), strict=True)
            count += len(i)
        if progress and rows.stop >= columns.stop:
            progress(columns.stop, len(images))
    for places in flat_images(images, vectors).values():
        first[places[1:]] = places[0]
        count += len(places) * (len(places) - 1) // 2
        pairs += itertools.islice(itertools.combinations(places, 2), LISTED)
    dropped = np.flatnonzero(first >= 0)
    correlation = np.zeros(len(images))
    correlation[dropped] = _exact(images, vectors, first[dropped], dropped, side)
    pairs = sorted(pairs, key=lambda pair: pair[::-1])[:LISTED]
    i, j = np.array(pairs, int).reshape(-1, 2).T
    values = _exact(images, vectors, i, j, side)
    pairs = [(*pair, value) for pair, value in zip(pairs, values.tolist(), strict=True)]
    return Repeats(first, correlation, count, pairs)


def _exceed(threshold, images, vectors, i, j, side):
    """Whether the pairs' correlations exceed the threshold in magnitude, as float64 has it."""
    # In float64 only the rounding of the vectors counts. It leaves few pairs to go back to the
    # images for, which matters where millions are near the threshold, as among synthetic images.
    value = np.abs(products(vectors, vectors, i, j))
    unsure = np.flatnonzero(np.abs(value - threshold) < rounding(0))
    value[unsure] = np.abs(_exact(images, vectors, i[unsure], j[unsure], side))
    return value > threshold


def _exact(images, vectors, i, j, side):
    """The correlations of pairs of images in float64, (n,); those without contrast are identical."""
    value = np.empty(len(i))
    for start in range(0, len(i), CHUNK):
        part = slice(start, start + CHUNK)
        a, b = coarse(images[i[part]], side), coarse(images[j[part]], side)
        value[part] = (a * b).sum(axis=1)
        release(images)
    value[~vectors[i].any(axis=1)] = 1
    return value


def drop_repeats(
    dataset: Dataset,
    out: str | PathLike,
    threshold: float = THRESHOLD,
    side: int = SIDE,
    overwrite: bool = False,
    progress: OnProgress = None,
) -> tuple[Dataset, Repeats]:
    """Makes a dataset of the images that repeat no earlier one; see `find_repeats`.

    The manifest lists every dropped image under `skipped`, with the first image that it repeats and
    the correlation, the pairs (i, j, correlation) under `repeats`, and under `origin` the manifest
    of the whole dataset without its sources. Indices are those in the whole dataset.

    Args:
        dataset: the Dataset.
        out: the dataset folder to make.
        threshold, side, progress: as for `find_repeats`.
        overwrite: replace an older dataset.

    Returns:
        The new Dataset, and the `Repeats`.

    Raises:
        InputError: as `find_repeats`, or if `out` exists.

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import drop_repeats, load
        >>> folder = tempfile.TemporaryDirectory()
        >>> images = np.random.default_rng(0).random((5, 16, 16))
        >>> images[3] = images[1]
        >>> np.save(f"{folder.name}/images.npy", images)
        >>> dataset = load(f"{folder.name}/images.npy")
        >>> kept, repeats = drop_repeats(dataset, f"{folder.name}/kept")
        >>> len(kept), repeats.count
        (4, 1)
    """
    images, sources = dataset.images, dataset.sources
    dtype = "uint8" if images.dtype == np.uint8 else "float32"
    parameters = {"threshold": threshold, "side": side}
    with writing(out, "dedup", parameters, images.shape[1:], dtype, overwrite) as writer:
        repeats = find_repeats(images, threshold, side, progress)
        keep = repeats.first < 0
        start = 0
        for block in blocks(images):
            kept = block[keep[start : start + len(block)]]
            writer.append(kept if dtype == "uint8" else to_float(kept))
            start += len(block)
        writer.sources += [sources[k] for k in np.flatnonzero(keep)] if sources else []
        writer.skipped += [_dropped(k, repeats, sources) for k in repeats.dropped.tolist()]
        origin = {key: value for key, value in dataset.manifest.items() if key != "sources"}
        writer.extra |= {"repeats": repeats.pairs, "num_repeats": repeats.count, "origin": origin}
    return load(out, verify=False), repeats


def _dropped(k, repeats, sources):
    """The manifest's entry for a dropped image."""
    first, correlation = int(repeats.first[k]), float(repeats.correlation[k])
    names = [sources[i]["name"] if sources else f"image {i}" for i in (k, first)]
    return {
        **(sources[k] if sources else {"name": names[0]}),
        "index": k,
        "reason": f"repeats {names[1]} (index {first}): correlation {correlation:.6f}",
        "repeats": first,
        "correlation": correlation,
    }
