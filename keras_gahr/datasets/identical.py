"""Identical images, which repeat each other whatever their variance.

A correlation does not tell: of an image without contrast on the coarse grid there is none.
"""

import hashlib

import numpy as np

from .arrays import release, to_float


def digest(image: np.ndarray) -> bytes:
    """16 bytes that only images of the same bytes have in common."""
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()


def flat_images(images: np.ndarray, vectors: np.ndarray) -> dict[bytes, list[int]]:
    """The images without contrast, by what they hold.

    Args:
        images: (N, H, W, C), uint8 or floats in [0, 1].
        vectors: (N, d) from `correlation.coarse_set`.

    Returns:
        A dictionary from the digest of the values (as float32) of an image whose vector is zero to
        the places where such images are, ascending.
    """
    places = {}
    for k in np.flatnonzero(~vectors.any(axis=1)).tolist():
        places.setdefault(digest(to_float(images[k])), []).append(k)
        release(images)
    return places
