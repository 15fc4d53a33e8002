"""Datasets from any pictures: cropped, scaled, cut into patches."""

import dataclasses
from os import PathLike
from typing import Any

import numpy as np

from keras_gahr.errors import InputError

from .cropping import cropped
from .patches import check_patches, cut_patches
from .pictures import as_type, make_from_pictures
from .shrinking import resized
from .sources import PictureSource
from .store import Dataset


@dataclasses.dataclass(frozen=True)
class Framing:
    """What is done with a picture, in this order; None leaves a step out.

    Attributes:
        crop: see `cropped`.
        scale: factor in (0, 1] for height and width, which are rounded.
        size: (height, width) to shrink to; a picture of another aspect is refused, not distorted.
        patch: height and width of square patches, cut row by row from the top left; what remains
            at the right and the bottom is left out.
        stride: from one patch to the next, by default `patch`.

    Raises:
        InputError: if a number is out of range, both a scale and a size are given, or a stride
            without a patch.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import Framing
        >>> framing = Framing(crop="square", size=(32, 32), patch=16)
        >>> framing.apply(np.zeros((48, 64, 1), np.float32), "a picture").shape
        (4, 16, 16, 1)
    """

    crop: tuple[int, ...] | str | None = None
    scale: float | None = None
    size: tuple[int, int] | None = None
    patch: int | None = None
    stride: int | None = None

    def __post_init__(self) -> None:
        if self.scale is not None and self.size is not None:
            raise InputError("received both a scale and a size, expected one of them")
        if self.scale is not None and not 0 < self.scale <= 1:
            raise InputError(f"the scale is {self.scale:g}: expected more than 0, at most 1")
        check_patches(self.patch, self.stride)

    def apply(self, picture: np.ndarray, name: str | PathLike) -> np.ndarray:
        """The image or patches in a picture, in memory.

        Args:
            picture: (H, W, C), uint8 or float32.
            name: of the picture, for errors.

        Returns:
            (n, height, width, C) of the same type.

        Raises:
            InputError: if the picture is too small, or would be distorted.
        """
        cut = self.cut(self.framed(picture, name), name)
        return cut.reshape(-1, *cut.shape[2:])

    def framed(self, picture: np.ndarray, name: str | PathLike) -> np.ndarray:
        """The picture (H, W, C) cropped and shrunk: see `apply`."""
        picture = cropped(picture, self.crop, name)
        return resized(picture, *self._size(picture, name))

    def cut(self, image: np.ndarray, name: str | PathLike) -> np.ndarray:
        """The patches of what `framed` gives, or that itself, as a view (rows, n, height, width, C)."""
        if self.patch is None:
            return image[None, None]
        return cut_patches(image, self.patch, self.stride or self.patch, name)

    def _size(self, picture, name):
        """(height, width) that the picture is shrunk to."""
        old = picture.shape[:2]
        if self.scale is not None:
            return tuple(max(1, round(side * self.scale)) for side in old)
        if self.size is None:
            return old
        height, width = self.size
        if height > old[0] or width > old[1]:
            raise InputError(
                f"{name} gives an image of {old[0]} x {old[1]} (height x width): too small for "
                f"{height} x {width}, and nothing is enlarged"
            )
        # One side may be off by the half pixel that rounding takes.
        if 2 * abs(old[0] * width - old[1] * height) > max(old):
            raise InputError(
                f"{name} gives an image of {old[0]} x {old[1]} (height x width), which {height} x "
                f"{width} would distort: choose a crop, such as `square`"
            )
        return height, width


def make_folder(
    source: PictureSource,
    out: str | PathLike,
    framing: Framing | None = None,
    color: bool = False,
    dtype: str = "float32",
    **options: Any,
) -> Dataset:
    """Makes a dataset from pictures in a folder or an archive, or in the forms that data sets come in.

    Args:
        source: a folder (with its subfolders), a .tar, .tar.gz or .zip of pictures; a Parquet or Arrow
            file with a column of pictures; an LMDB or TFRecord file; the batches of CIFAR-10 or
            CIFAR-100; a folder of such files and archives, or a list of all these. Or a `Dataset` of the
            library `datasets`.
        out: the dataset folder to make.
        framing: the `Framing`; by default pictures are taken as they are. All must come out in one
            size, unless they are cut into patches.
        color: RGB instead of grey, which is the mean of the three.
        dtype: "float32" for values in [0, 1] without rounding, "uint8" for rounded ones.
        **options: skip_bad, only, count, column, overwrite, workers and progress, as for
            `make_from_pictures`.

    Returns:
        The Dataset.

    Raises:
        InputError: if the source or a picture in it cannot be used, or `out` exists.

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import Framing, make_folder, write_image
        >>> pictures, made = tempfile.TemporaryDirectory(), tempfile.TemporaryDirectory()
        >>> write_image(f"{pictures.name}/photo.png", np.full((32, 48), 0.5))
        >>> patches = make_folder(pictures.name, f"{made.name}/patches", Framing(patch=16))
        >>> patches.images.shape
        (6, 16, 16, 1)
    """
    framing = framing or Framing()

    def convert(picture, name):
        return framing.cut(as_type(framing.framed(picture, name), color, dtype), name)

    given = {name: value for name, value in dataclasses.asdict(framing).items() if value}
    parameters = {"color": color} | {
        name: list(value) if isinstance(value, tuple) else value for name, value in given.items()
    }
    return make_from_pictures(source, out, "folder", parameters, convert, dtype, **options)
