"""How many pixels a picture file may claim to have.

A file of some kilobytes may claim to be a picture of gigabytes. What it claims is compared with the
limit before it is decoded.
"""

import contextvars
from contextlib import AbstractContextManager

from .within import within

_PIXELS = contextvars.ContextVar("pixels", default=178_956_970)


def pixel_limit(pixels: int) -> AbstractContextManager[None]:
    """Within it, pictures of up to so many pixels are read; else up to 178,956,970.

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import pixel_limit, read_image, write_image
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = f"{folder.name}/large.png"
        >>> write_image(path, np.zeros((30, 40)))
        >>> with pixel_limit(1200):
        ...     image = read_image(path)
        >>> image.shape
        (30, 40, 1)
    """
    return within(_PIXELS, pixels)


def current_pixel_limit() -> int:
    """The number of pixels that pictures may have here; a new thread does not know it."""
    return _PIXELS.get()
