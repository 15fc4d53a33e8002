"""Grey images and images in colour."""

import numpy as np

from keras_gahr.errors import InputError


def with_channels(images: np.ndarray, channels: int | None) -> np.ndarray:
    """Images (..., C) with so many channels: grey is their mean, and is repeated to make colour.

    Args:
        images: floats with 1 or 3 channels.
        channels: how many there are to be; None leaves the images as they are.

    Raises:
        InputError: if neither the images nor the result are grey and the numbers differ.
    """
    if channels is None or channels == images.shape[-1]:
        return images
    if channels == 1:
        return images.mean(axis=-1, keepdims=True)
    if images.shape[-1] == 1:
        return images.repeat(channels, axis=-1)
    raise InputError(
        f"received images with {images.shape[-1]} channels, expected {channels} or 1: convert them"
    )


def one_channel(image: np.ndarray, channel: int | None) -> np.ndarray:
    """A channel of an image (..., C) as a grey one, (..., 1).

    Args:
        image: any array.
        channel: which, from 0; None leaves the image as it is.

    Raises:
        InputError: if there is none of this number.
    """
    if channel is None:
        return image
    if not 0 <= channel < image.shape[-1]:
        raise InputError(
            f"received channel {channel} of an image with {image.shape[-1]}: expected a number from 0 "
            f"to {image.shape[-1] - 1}"
        )
    return image[..., channel : channel + 1]
