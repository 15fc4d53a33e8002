"""Pictures as the bytes of files, written by Pillow."""

import io

from PIL import Image


def png(pixels):
    """The bytes of a PNG of (H, W) or (H, W, C) bytes."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
