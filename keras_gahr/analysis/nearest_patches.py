"""Whether a sample is put together from patches of several training images.

Four neighbouring patches of a sample are looked up, each at its own place, in all training images. A
copy of one training image has one source for all four.
"""

import dataclasses

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.result import Result

from .similarity import closest

SIDE = 20


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PatchSources(Result):
    """The closest training image of each patch of each sample.

    Attributes:
        index: int64 (N, 4): that image, for the patch at the top left, top right, bottom left and
            bottom right.
        correlation: float64 (N, 4): its correlation with the patch.
    """

    index: np.ndarray
    correlation: np.ndarray

    @property
    def agree(self):
        """For each sample, whether all four patches have the same source: bool (N,)."""
        return np.all(self.index == self.index[:, :1], axis=1)


def patch_slices(height, width, side=SIDE):
    """Rows and columns of the four patches: the quarters of the central 2 side x 2 side pixels.

    Raises:
        InputError: if the image is smaller than that.
    """
    if side < 1 or min(height, width) < 2 * side:
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


def patch_sources(samples, images, side=SIDE):
    """Looks up the four central patches of each sample by correlation.

    Args:
        samples: (N, H, W, C), uint8 or floats.
        images: (M, H, W, C), uint8 or floats, such as the memory map of a dataset.
        side: height and width of a patch. With 20, as published, the four fill images of 40 x 40.

    Returns:
        The `PatchSources`.

    Raises:
        InputError: see `patch_slices` and `similarity.closest`.
    """
    found = [
        closest(samples[:, rows, columns], images[:, rows, columns], ["correlation"], count=1)
        for rows, columns in patch_slices(*samples.shape[1:3], side)
    ]
    return PatchSources(
        index=np.concatenate([each["correlation"].index for each in found], axis=1),
        correlation=np.concatenate([each["correlation"].value for each in found], axis=1),
    )
