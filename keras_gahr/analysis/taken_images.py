"""In which form a network takes images."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_gahr.datasets.shrinking import resized
from keras_gahr.errors import InputError

_MOST_VALUES = 2**28
"""In all images that a network asks for at once: 1 GiB, of which it makes more."""


@dataclasses.dataclass(frozen=True)
class TakenImages:
    """The form of the images that a network takes; None and 0 stand for any.

    Attributes:
        channels: how many.
        size: the height and width.
        channels_first: whether they are (N, C, H, W).
        batch: how many at once.
    """

    channels: int | None = None
    size: tuple[int, int] | None = None
    channels_first: bool = False
    batch: int = 0

    @classmethod
    def declared(cls, shape: Sequence[Any], name: str, first: bool = False) -> TakenImages:
        """What an input of a declared shape takes: four numbers, or whatever else for those that are free.

        Args:
            shape: of the input.
            name: of the features, for errors.
            first: whether channels come first where the shape allows both.

        Raises:
            InputError: if that is no shape of images, or channels of which nobody knows where they are.
        """
        sides = [side if isinstance(side, int) and side > 0 else None for side in shape]
        if len(sides) != 4:
            raise InputError(
                f"the features {name} take arrays of {len(sides)} axes, expected images: 4 axes"
            )
        places = [place for place in (1, 3) if sides[place] in {1, 3}]
        if not places:
            raise InputError(
                f"the features {name} do not declare 1 or 3 channels, first or last: wrap them in a "
                "function of images"
            )
        if math.prod(filter(None, sides)) > _MOST_VALUES:
            raise InputError(
                f"the features {name} take {'x'.join(str(side or '?') for side in sides)} values at once, "
                f"expected {_MOST_VALUES} at most"
            )
        channels_first = places == [1] or (first and 1 in places)
        height, width = sides[2:] if channels_first else sides[1:3]
        return cls(
            channels=sides[1 if channels_first else 3],
            size=None if height is None or width is None else (height, width),
            channels_first=channels_first,
            batch=sides[0] or 0,
        )

    def check(self, shape: Sequence[int], name: str) -> None:
        """Raises `InputError` for images (N, H, W, C) that cannot be given this form."""
        if self.channels not in {None, shape[3]} and (self.channels, shape[3]) != (3, 1):
            raise InputError(
                f"received images of {shape[3]} channels, the features {name} take {self.channels}"
            )

    def size_of(self, shape: Sequence[int]) -> int:
        """How many values an image (H, W, C) has in this form."""
        height, width = self.size or shape[:2]
        return height * width * (self.channels or shape[2])

    def fit(self, images: np.ndarray) -> np.ndarray:
        """Float32 images (N, H, W, C) in this form; where a batch is short, its last image is repeated."""
        if self.size is not None and images.shape[1:3] != self.size:
            images = np.stack([resized(image, *self.size) for image in images])
        if self.channels is not None and self.channels != images.shape[3]:
            images = np.repeat(images, self.channels, axis=3)
        if len(images) < self.batch:
            images = np.concatenate(
                [images, np.repeat(images[-1:], self.batch - len(images), axis=0)]
            )
        if self.channels_first:
            images = np.moveaxis(images, 3, 1)
        return np.ascontiguousarray(images)
