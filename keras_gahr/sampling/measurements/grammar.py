"""Measurements written as text."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_gahr.datasets.arrays import read_array
from keras_gahr.datasets.image_arrays import is_array
from keras_gahr.datasets.masks import read_mask
from keras_gahr.errors import InputError

from .composition import compose
from .deblurring import Deblurring, gaussian_kernel
from .grey import Grey
from .known_pixels import KnownPixels
from .measurement import Measurement
from .random_basis import RandomBasis
from .random_pixels import RandomPixels
from .random_transform import RandomTransform
from .rectangle import Inpainting
from .spectral_super_resolution import SpectralSuperResolution, low_frequencies
from .super_resolution import SuperResolution

GRAMMAR = {
    "inpainting": "inpainting:HEIGHTxWIDTH or inpainting:HEIGHTxWIDTH+ROW+COLUMN (of the centre)",
    "mask": "mask:FILE (white, 1 or opaque is known)",
    "random-pixels": "random-pixels:FRACTION",
    "super-resolution": "super-resolution:FACTOR",
    "random-basis": "random-basis:FRACTION",
    "random-transform": "random-transform:FRACTION",
    "spectral": "spectral:FRACTION or spectral:FRACTION:published",
    "deblur": "deblur:gaussian:PIXELS or deblur:FILE.npy, then :THRESHOLD if not 0.01",
    "grey": "grey",
}
"""How each measurement is written, by its name; a comma between several composes them.

A `~` before a FILE is the user's folder, which a shell does not see behind a name.
"""


def parse_measurement(text: str, shape: Sequence[int], seed: int = 0) -> Measurement:
    """The measurement that a text like `super-resolution:4` or `grey,super-resolution:2` describes.

    Args:
        text: see `GRAMMAR`; of several, the first is applied to images and each next one to what
            the one before measured.
        shape: of one image, `(height, width, channels)`.
        seed: of what is random in it.

    Raises:
        InputError: for another text, a file that cannot be used, or a measurement that does not fit
            the shape.

    Examples:
        >>> import keras_gahr as kg
        >>> kg.measurements.parse_measurement("super-resolution:4", (8, 8, 1)).measured_shape
        (2, 2, 1)
    """
    measurements = []
    for name, rest in _parts(text):
        if len(shape) != 3:
            raise InputError(
                f"received measurement {text!r}, where {name} would be of numbers, not of images: "
                "put it first"
            )
        measurements.append(_READERS[name](_Text(name, rest), shape, seed))
        shape = measurements[-1].measured_shape
    return compose(*measurements)


def image_sides(text: str, observed: Sequence[int]) -> tuple[int, ...]:
    """(height, width) of the images whose measurement, described by a text, is a picture of this size.

    Args:
        text: see `parse_measurement`.
        observed: (height, width).

    Raises:
        InputError: if the text is wrong.

    Examples:
        >>> import keras_gahr as kg
        >>> kg.measurements.image_sides("super-resolution:4", (2, 3))
        (8, 12)
    """
    factor = math.prod(
        _Text(name, rest).whole() for name, rest in _parts(text) if name == "super-resolution"
    )
    return tuple(side * factor for side in observed)


def _parts(text):
    """Name and rest of each measurement in a text."""
    for part in text.split(","):
        name, _, rest = part.strip().partition(":")
        if name not in GRAMMAR:
            raise InputError(
                f"received measurement {part.strip()!r}, expected one of "
                f"{', '.join(GRAMMAR)} (several with commas between)"
            )
        yield name, rest


class _Text:
    """What follows the name of a measurement."""

    def __init__(self, name, rest):
        self.name = name
        self.rest = rest

    def error(self):
        given = f"{self.name}:{self.rest}" if self.rest else self.name
        return InputError(f"received measurement {given!r}, expected {GRAMMAR[self.name]}")

    def number(self, text=None):
        try:
            number = float(self.rest if text is None else text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self.error()
        return number

    def whole(self):
        if not re.fullmatch(r"[0-9]{1,9}", self.rest):
            raise self.error()
        return int(self.rest)


def _inpainting(text, shape, seed):
    found = re.fullmatch(r"(\d{1,9})x(\d{1,9})(?:\+(\d{1,9})\+(\d{1,9}))?", text.rest, re.ASCII)
    if not found:
        raise text.error()
    height, width, *centre = (int(side) for side in found.groups() if side is not None)
    return Inpainting(shape, (height, width), (centre[0], centre[1]) if centre else None)


def _mask(text, shape, seed):
    if not text.rest:
        raise text.error()
    mask = read_mask(os.path.expanduser(text.rest))
    if mask.shape != tuple(shape[:2]):
        raise InputError(
            f"{text.rest} is {mask.shape[0]}x{mask.shape[1]}, but the images are "
            f"{shape[0]}x{shape[1]}: give a mask of their size"
        )
    return KnownPixels(mask, shape[2])


def _random(cls):
    return lambda text, shape, seed: cls(shape, text.number(), seed)


def _super_resolution(text, shape, seed):
    return SuperResolution(shape, text.whole())


def _spectral(text, shape, seed):
    fraction, colon, rule = text.rest.partition(":")
    if colon and rule != "published":
        raise text.error()
    mask = low_frequencies(shape, text.number(fraction), published=bool(colon))
    return SpectralSuperResolution(shape, mask)


def _deblur(text, shape, seed):
    kind, *numbers = text.rest.split(":")
    numbers = [text.number(number) for number in numbers]
    if kind == "gaussian" and len(numbers) in {1, 2}:
        return Deblurring(shape, gaussian_kernel(numbers[0]), *numbers[1:])
    if not is_array(Path(kind)) or len(numbers) > 1:
        raise text.error()
    kernel = read_array(os.path.expanduser(kind))
    if kernel.dtype.kind not in "fiu":
        raise InputError(f"{kind} has type {kernel.dtype}: expected numbers")
    return Deblurring(shape, np.asarray(kernel, np.float64), *numbers)


def _grey(text, shape, seed):
    if text.rest:
        raise text.error()
    return Grey(shape)


_READERS = {
    "inpainting": _inpainting,
    "mask": _mask,
    "random-pixels": _random(RandomPixels),
    "super-resolution": _super_resolution,
    "random-basis": _random(RandomBasis),
    "random-transform": _random(RandomTransform),
    "spectral": _spectral,
    "deblur": _deblur,
    "grey": _grey,
}
