"""Some pixels are known, the others not."""

import numpy as np
from keras import ops

from keras_gahr.errors import InputError

from .measurement import Measurement


class KnownPixels(Measurement):
    """The pixels where a mask is 1 are known; a measurement is the image with 0 in the others.

    Args:
        mask: `(height, width)`, `(height, width, 1)` or, with its own mask for each channel,
            `(height, width, channels)`; 1 (or True) where the image is known, else 0.
        channels: of the images.

    Raises:
        InputError: for a mask of another shape or with other values.
    """

    gives_pictures = True

    def __init__(self, mask, channels):
        mask = np.asarray(mask, np.float32)
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

    def measure(self, images):
        return images * self.mask

    def back_project(self, measured):
        return measured * self.mask

    def project(self, images):
        return images * self.mask
