"""Statistics of the intensities in a dataset."""

import dataclasses

import numpy as np

from keras_gahr.progress import OnProgress
from keras_gahr.result import Result

from .arrays import CLEAN, blocks, to_float
from .identical import digest
from .stacks import as_stack

BINS = 64

# So few values at once stay in the processor's cache.
PART = 2**20


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Intensities(Result):
    """Intensities in [0, 1] of all images together.

    Attributes:
        mean, sd, min, max: over all values.
        histogram: int64 (64,): how many values lie in each part of [0, 1]; the last includes 1.
        image_means, image_sds: float64 (N,), for each image.
        num_constant: images with a single value.
        num_repeated: images whose bytes are those of an earlier one.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import intensities
        >>> found = intensities(np.zeros((3, 8, 8, 1), np.uint8))
        >>> found.mean, found.num_constant, found.num_repeated
        (0.0, 3, 2)
    """

    mean: float
    sd: float
    min: float
    max: float
    histogram: np.ndarray
    image_means: np.ndarray
    image_sds: np.ndarray
    num_constant: int
    num_repeated: int


def intensities(images: np.ndarray, progress: OnProgress = None) -> Intensities:
    """The `Intensities` of images (N, H, W, C), uint8 or floats in [0, 1], read block by block.

    Args:
        images: the array, usually a memory map.
        progress: called as progress(images done, images in all).

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import intensities
        >>> images = np.stack([np.zeros((8, 8, 1)), np.ones((8, 8, 1))])
        >>> found = intensities(images)
        >>> found.mean, found.sd, found.image_means.tolist()
        (0.5, 0.5, [0.0, 1.0])
    """
    images = as_stack(images, limits=CLEAN)
    count, size = len(images), int(np.prod(images.shape[1:]))
    means, sds = np.empty(count), np.empty(count)
    lows, highs = np.empty(count, np.float32), np.empty(count, np.float32)
    histogram = np.zeros(BINS, np.int64)
    seen = set()
    done = 0
    for block in blocks(images):
        step = max(1, PART // size)
        for start in range(0, len(block), step):
            part = block[start : start + step]
            seen.update(map(digest, part))
            values = to_float(part).reshape(len(part), size)
            at = slice(done + start, done + start + len(part))
            means[at] = values.mean(axis=1, dtype=np.float64)
            sds[at] = values.std(axis=1, dtype=np.float64)
            lows[at], highs[at] = values.min(axis=1), values.max(axis=1)
            bins = np.minimum((values * BINS).astype(np.uint8), BINS - 1)
            histogram += np.bincount(bins.ravel(), minlength=BINS)
        done += len(block)
        if progress:
            progress(done, count)
    mean = means.mean()
    return Intensities(
        mean=float(mean),
        sd=float(np.sqrt(np.mean(sds**2 + (means - mean) ** 2))),
        min=float(lows.min()),
        max=float(highs.max()),
        histogram=histogram,
        image_means=means,
        image_sds=sds,
        num_constant=int((lows == highs).sum()),
        num_repeated=count - len(seen),
    )
