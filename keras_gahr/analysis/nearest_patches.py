"""Whether a sample is put together from patches of several training images.

Four neighbouring patches of a sample are looked up, each at its own place, in all training images. A
copy of one training image has one source for all four. A patch without contrast looks like none, and says
nothing about that.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.stacks import as_stack
from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, check_whole

from .saved_numbers import SavedNumbers, files_called
from .similarity import closest

SIDE = 20


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PatchSources(SavedNumbers):
    """The closest training image of each patch of each sample.

    Attributes:
        index: int64 (N, 4): that image, for the patch at the top left, top right, bottom left and
            bottom right; -1 of a patch without a source, which no image is like.
        correlation: float64 (N, 4): the largest correlation of an image with the patch.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import PatchSources
        >>> sources = PatchSources(np.array([[3, 3, 3, 3], [3, 3, 5, 3]]), np.ones((2, 4)))
        >>> sources.agree
        array([ True, False])
    """

    FILES: ClassVar[tuple[str, ...]] = files_called("patch_sources")

    index: np.ndarray
    correlation: np.ndarray

    @property
    def agree(self) -> np.ndarray:
        """For each sample, whether all of its patches that have a source, of which there is at least one,
        have the same: bool (N,)."""
        known = self.index >= 0
        first = np.take_along_axis(self.index, known.argmax(axis=1)[:, None], axis=1)
        return known.any(axis=1) & np.all((self.index == first) | ~known, axis=1)

    @property
    def without_source(self) -> int:
        """How many patches have no source."""
        return int(np.sum(self.index < 0))

    def numbers(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            "samples": len(self.index),
            "share_that_agrees": float(self.agree.mean()),
            "patches_without_source": self.without_source,
            "agree": self.agree.tolist(),
            "index": self.index.tolist(),
            "correlation": self.correlation.tolist(),
        }


def patch_slices(height, width, side=SIDE):
    """Rows and columns of the four patches: the quarters of the central 2 side x 2 side pixels.

    Raises:
        InputError: if the image is smaller than that.
    """
    if (side := check_whole(side, "side", 0)) < 1 or min(height, width) < 2 * side:
        raise InputError(
            f"received patches of {side}x{side}, expected at least 1 pixel, and no more than half of "
            f"the {height}x{width} image: choose another side"
        )
    top, left = (height - 2 * side) // 2, (width - 2 * side) // 2
    return [
        (slice(row, row + side), slice(column, column + side))
        for row in (top, top + side)
        for column in (left, left + side)
    ]


def patch_sources(
    samples: ArrayLike, images: ArrayLike, side: int = SIDE, *, least: float = 0.0
) -> PatchSources:
    """Looks up the four central patches of each sample by correlation.

    Args:
        samples: (N, H, W) or (N, H, W, C), uint8 or floats.
        images: (M, H, W) or (M, H, W, C), uint8 or floats, such as the memory map of a dataset.
        side: height and width of a patch. With 20, as published, the four fill images of 40 x 40.
        least: a patch has more correlation than this with its source, or else none: by default one
            without contrast, which has a correlation of 0 with all images; with 0.5 one of noise alone, too.
            With -1, as published, each has one.

    Returns:
        The `PatchSources`.

    Raises:
        InputError: see `patch_slices` and `similarity.closest`; for a `least` that is no number.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import patch_sources
        >>> images = np.random.default_rng(0).random((8, 8, 8))
        >>> patch_sources(images[:2], images, side=4).agree
        array([ True,  True])
    """
    least = check_number(least, "least")
    samples, images = as_stack(samples), as_stack(images)
    height, width = samples.shape[1:3]
    found = [
        closest(samples[:, rows, columns], images[:, rows, columns], ["correlation"], count=1)
        for rows, columns in patch_slices(height, width, side)
    ]
    index = np.concatenate([each["correlation"].index for each in found], axis=1)
    correlation = np.concatenate([each["correlation"].value for each in found], axis=1)
    return PatchSources(np.where(correlation <= least, -1, index), correlation)
