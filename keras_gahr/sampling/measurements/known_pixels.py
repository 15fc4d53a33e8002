"""Some pixels are known, the others not."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import check_type
from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.errors import InputError

from .measurement import Measurement


def inpainting(mask: ArrayLike, channels: int | None = None) -> KnownPixels:
    """The measurement of the pixels that a mask says are known.

    Args:
        mask: `(height, width)`, or `(height, width, channels)` with its own mask for each channel: 1,
            True or 255 (uint8) where the image is known, else 0.
        channels: of the images; by default as the mask has. A mask `(height, width)` serves for
            images with any number of channels in `keras_gahr.restore` and `keras_gahr.sample`.

    Returns:
        `KnownPixels`.

    Raises:
        InputError: for a mask of another shape or with other values.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> mask = np.ones((16, 16), bool)
        >>> mask[4:8, 4:8] = False
        >>> observed = kg.measurements.inpainting(mask)(np.full((16, 16), 0.5))
        >>> float(observed[0, 0, 0]), float(observed[5, 5, 0])
        (0.5, 0.0)
    """
    mask = array_of(mask)
    if mask.dtype == np.uint8 and mask.max(initial=0) > 1:
        # Of a mask with other values the rest is refused.
        mask = mask / 255
    of_mask = mask.shape[-1] if mask.ndim == 3 else 1
    return KnownPixels(mask, of_mask if channels is None else channels)


class KnownPixels(Measurement):
    """The pixels where a mask is 1 are known; a measurement is the image with 0 in the others.

    Args:
        mask: `(height, width)`, `(height, width, 1)` or, with its own mask for each channel,
            `(height, width, channels)`; 1 (or True) where the image is known, else 0.
        channels: of the images.

    Raises:
        InputError: for a mask of another shape or with other values.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> mask = np.ones((4, 4, 3))
        >>> mask[..., 2] = 0
        >>> without_blue = kg.measurements.KnownPixels(mask, channels=3)
        >>> without_blue(np.full((4, 4, 3), 0.5))[0, 0]
        array([0.5, 0.5, 0. ], dtype=float32)
    """

    gives_pictures = True

    def __init__(self, mask: ArrayLike, channels: int) -> None:
        mask = array_of(mask)
        check_type(mask, "the mask")
        mask = mask.astype(np.float32)
        mask = mask[..., None] if mask.ndim == 2 else mask
        if mask.ndim != 3 or mask.shape[-1] not in {1, channels}:
            raise InputError(
                f"received a mask of shape {mask.shape} for images with {channels} channel(s), "
                "expected (height, width)"
            )
        if not np.all((mask == 0) | (mask == 1)):
            raise InputError(
                "received a mask with values other than 0 and 1: divide it by the largest and round it"
            )
        self.shape = self.measured_shape = (*mask.shape[:2], channels)
        self.mask = ops.convert_to_tensor(mask)

    def of_channels(self, channels: int) -> Measurement:
        if self.mask.shape[-1] == 1 and self.shape[2] != channels:
            return KnownPixels(ops.convert_to_numpy(self.mask), channels)
        return super().of_channels(channels)

    def measure(self, images: Any) -> Any:
        return images * self.mask

    def back_project(self, measured: Any) -> Any:
        return measured * self.mask

    def project(self, images: Any) -> Any:
        return images * self.mask
