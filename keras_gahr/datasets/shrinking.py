"""Pictures in another size, by Pillow's bicubic filter."""

import numpy as np
from PIL import Image


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """An image in another size: uint8 is rounded to uint8, floats stay in [0, 1].

    Args:
        image: (H, W, C), uint8 or float32; at the size it has, it is returned.
        height, width: at least 1.

    Returns:
        (height, width, C) of the same type.
    """
    if image.shape[:2] == (height, width):
        return image
    # Pillow filters each channel by itself; colours of more than 8 bits have no mode of their own.
    channels = [
        np.asarray(Image.fromarray(channel).resize((width, height), Image.Resampling.BICUBIC))
        for channel in np.moveaxis(image, -1, 0)
    ]
    made = np.stack(channels, axis=-1)
    return made if image.dtype == np.uint8 else np.clip(made, 0, 1)


def thumbnail(image: np.ndarray, side: int = 512) -> np.ndarray:
    """An image for a page of many, which would take gigabytes as large as photos are.

    Args:
        image: (H, W, C), on [0, 1] if it is of floats.
        side: the longest that height and width may be; a smaller image stays as it is.
    """
    height, width = image.shape[:2]
    scale = min(1, side / max(height, width))
    return resized(image, max(1, round(height * scale)), max(1, round(width * scale)))
