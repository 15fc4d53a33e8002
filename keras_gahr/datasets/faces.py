"""Faces: the aligned pictures of CelebA, cropped and shrunk as in arXiv 2310.02557."""

import numpy as np
from PIL import Image

from keras_gahr.errors import InputError

from .pictures import as_type, make_from_pictures

SIZES = (160, 80, 40, 20)

# Picture size (width, height) -> box (left, top, right, bottom) of the face. The first is CelebA as
# published, the second the same pictures at half size.
CROPS = {(178, 218): (9, 29, 169, 189), (89, 109): (4, 14, 84, 94)}


def make_faces(source, out, size=80, color=False, dtype="float32", **options):
    """Makes a dataset of faces from the aligned CelebA pictures, one for each file.

    Args:
        source: a folder (with its subfolders), a .tar, .tar.gz or .zip of pictures of 178 x 218 or
            89 x 109 pixels (width x height).
        out: the dataset folder to make.
        size: height and width of the images: 80, 40, 20, or 160 from pictures of 178 x 218.
        color: RGB instead of grey.
        dtype: "float32" for values in [0, 1] without rounding, "uint8" for rounded ones.
        **options: skip_bad, overwrite, workers and progress, as for `make_from_pictures`.

    Returns:
        The Dataset.

    Raises:
        InputError: if the source, a picture in it or a parameter cannot be used, or `out` exists.
    """
    if size not in SIZES:
        raise InputError(f"the size is {size}: expected one of {', '.join(map(str, SIZES))}")

    def convert(picture, name):
        return as_type(face(picture, size, name), color, dtype)[None]

    parameters = {"size": size, "color": color}
    shape = (size, size, 3 if color else 1)
    return make_from_pictures(source, out, "faces", parameters, convert, dtype, shape, **options)


def face(picture, size, name):
    """The face in an aligned CelebA picture, uint8 RGB (size, size, 3).

    It is cropped to a square of 160 or 80 pixels and shrunk to `size` by Pillow's bicubic filter.

    Args:
        picture: an 8-bit Pillow image.
        size: height and width.
        name: of the picture, for errors.

    Raises:
        InputError: if the picture has another size or is too small.
    """
    if picture.size not in CROPS:
        width, height = picture.size
        raise InputError(
            f"{name} is {width} x {height} (width x height): expected 178 x 218 or 89 x 109, the "
            "aligned CelebA pictures"
        )
    square = picture.convert("RGB").crop(CROPS[picture.size])
    if square.width < size:
        raise InputError(
            f"{name} gives a face of {square.width} pixels: for size {size} take pictures of "
            "178 x 218, or choose a smaller size"
        )
    if square.width > size:
        square = square.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(square)
