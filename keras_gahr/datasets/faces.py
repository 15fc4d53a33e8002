"""Faces: the aligned pictures of CelebA, cropped and shrunk as in arXiv 2310.02557."""

from os import PathLike
from typing import Any

import numpy as np

from keras_gahr.errors import InputError

from .pictures import as_type, make_from_pictures
from .shrinking import resized
from .sources import PictureSource
from .store import Dataset

SIZES = (160, 80, 40, 20)

# Picture size (width, height) -> box (left, top, right, bottom) of the face. The first is CelebA as
# published, the second the same pictures at half size.
CROPS = {(178, 218): (9, 29, 169, 189), (89, 109): (4, 14, 84, 94)}


def make_faces(
    source: PictureSource,
    out: str | PathLike,
    size: int = 80,
    color: bool = False,
    dtype: str = "float32",
    **options: Any,
) -> Dataset:
    """Makes a dataset of faces from the aligned CelebA pictures, one for each file.

    Args:
        source: a folder (with its subfolders), a .tar, .tar.gz or .zip of pictures of 178 x 218 or
            89 x 109 pixels (width x height).
        out: the dataset folder to make.
        size: height and width of the images: 80, 40, 20, or 160 from pictures of 178 x 218.
        color: RGB instead of grey.
        dtype: "float32" for values in [0, 1] without rounding, "uint8" for rounded ones.
        **options: skip_bad, only, count, column, overwrite, workers and progress, as for
            `make_from_pictures`.

    Returns:
        The Dataset.

    Raises:
        InputError: if the source, a picture in it or a parameter cannot be used, or `out` exists.

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import make_faces, write_image
        >>> pictures, made = tempfile.TemporaryDirectory(), tempfile.TemporaryDirectory()
        >>> write_image(f"{pictures.name}/000001.jpg", np.full((218, 178), 0.5))
        >>> faces = make_faces(pictures.name, f"{made.name}/faces", size=40)
        >>> faces.images.shape
        (1, 40, 40, 1)
    """
    if size not in SIZES:
        raise InputError(f"the size is {size}: expected one of {', '.join(map(str, SIZES))}")

    def convert(picture, name):
        return as_type(face(picture, size, name), color, dtype)[None, None]

    parameters = {"size": size, "color": color}
    shape = (size, size, 3 if color else 1)
    return make_from_pictures(source, out, "faces", parameters, convert, dtype, shape, **options)


def face(picture: np.ndarray, size: int, name: str | PathLike) -> np.ndarray:
    """The face in an aligned CelebA picture, (size, size, C).

    It is cropped to a square of 160 or 80 pixels and shrunk to `size` by Pillow's bicubic filter.

    Args:
        picture: (H, W, C), uint8 or float32.
        size: height and width.
        name: of the picture, for errors.

    Raises:
        InputError: if the picture has another size or is too small.
    """
    height, width, _ = picture.shape
    if (width, height) not in CROPS:
        raise InputError(
            f"{name} is {width} x {height} (width x height): expected 178 x 218 or 89 x 109, the "
            "aligned CelebA pictures"
        )
    left, top, right, bottom = CROPS[width, height]
    if right - left < size:
        raise InputError(
            f"{name} gives a face of {right - left} pixels: for size {size} take pictures of "
            "178 x 218, or choose a smaller size"
        )
    return resized(picture[top:bottom, left:right], size, size)
