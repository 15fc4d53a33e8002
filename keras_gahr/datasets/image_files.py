"""Images in files: PNG, JPEG and whatever else Pillow reads, and arrays."""

from os import PathLike
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from keras_gahr.errors import InputError
from keras_gahr.files import check_regular, replacing
from keras_gahr.folder_tree import walk
from keras_gahr.noise import check_whole

from .arrays import CLEAN, check_type, check_values, take, to_float
from .channels import with_channels
from .decoding import decode_picture
from .image_arrays import ARRAYS, array_of, is_array, open_array

PICTURES = {
    ".bmp",
    ".gif",
    ".jfif",
    ".jpe",
    ".jpeg",
    ".jpg",
    ".pbm",
    ".pgm",
    ".png",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
}
"""Suffixes of pictures that are read, in lower case."""

READABLE = PICTURES | ARRAYS
WRITABLE = {".jpeg": "JPEG", ".jpg": "JPEG", ".png": "PNG"}


def read_image(
    path: str | PathLike, channels: int | None = None, layout: str | None = None
) -> np.ndarray:
    """One image as float32 (H, W, C) in [0, 1].

    Grey is the mean of red, green and blue. 8-bit values are divided by 255 and 16-bit ones by 65535.
    Transparency is dropped, whatever it hides; for the rest see `decode_picture`.

    Args:
        path: a picture, or an array of one image: see `open_array`.
        channels: 1 for grey, 3 for colour, None for what the file has.
        layout: of an array, such as "CHW"; by default see `find_layout`.

    Raises:
        InputError: if the file is missing, damaged, not an image, or outside [0, 1].

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import read_image, write_image
        >>> folder = tempfile.TemporaryDirectory()
        >>> write_image(f"{folder.name}/image.png", np.ones((4, 6, 3)))
        >>> image = read_image(f"{folder.name}/image.png", channels=1)
        >>> image.shape, image.dtype
        ((4, 6, 1), dtype('float32'))
    """
    if channels not in {None, 1, 3}:
        raise InputError(f"{channels} channels asked for: expected 1 (grey) or 3 (colour)")
    images, _ = open_images(path, channels, layout)
    if len(images) != 1:
        raise InputError(f"{path} holds {len(images)} images: expected one image")
    return with_channels(take(images, 0), channels)


def open_images(
    path: str | PathLike,
    channels: int | None = None,
    layout: str | None = None,
    limits: tuple[float, float] = CLEAN,
) -> tuple[np.ndarray, str]:
    """The image in a picture, or those in an array, whose values are checked.

    Args:
        path: a picture, `.npy` or `.npz`.
        channels, layout, limits: as for `open_array`; a picture knows its layout.

    Returns:
        `(N, H, W, C)`, uint8, bool or floats, see `to_float`; and the layout of the file, of a picture
        "HWC".

    Raises:
        InputError: if the file cannot be read, or holds something else than images.
    """
    path = Path(path)
    check_regular(path, "an image")
    if is_array(path):
        return open_array(path, channels, layout, limits)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    pixels = decode_picture(data, path).color
    check_values(pixels, path, limits)
    return pixels[None], "HWC"


def read_images(
    path: str | PathLike,
    channels: int | None = None,
    layout: str | None = None,
    limits: tuple[float, float] = CLEAN,
) -> tuple[np.ndarray, str]:
    """The same in memory, as float32 in the units of [0, 1], clipped to the limits."""
    images, layout = open_images(path, channels, layout, limits)
    return to_float(images, limits), layout


def write_image(path: str | PathLike, image: ArrayLike) -> None:
    """Writes an image as PNG or JPEG, by the suffix; whole or not at all, replacing an older file.

    Args:
        path: ends in .png, .jpg or .jpeg.
        image: (H, W), (H, W, 1) or (H, W, 3): uint8, or floats, which are clipped to [0, 1] and rounded
            to 8 bits.

    Raises:
        InputError: if the suffix is another one, or for something else than an image, such as one with
            NaN.

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import read_image, write_image
        >>> folder = tempfile.TemporaryDirectory()
        >>> write_image(f"{folder.name}/image.png", np.array([[-0.5, 0.2], [0.2, 1.5]]))
        >>> read_image(f"{folder.name}/image.png")[..., 0]
        array([[0. , 0.2],
               [0.2, 1. ]], dtype=float32)
    """
    path = Path(path)
    if path.suffix.lower() not in WRITABLE:
        raise InputError(f"{path} cannot be written: end its name in .png or .jpg")
    pixels = array_of(image)
    check_type(pixels, f"the image for {path}")
    check_picture_shape(pixels.shape, f"the image for {path}")
    if pixels.dtype != np.uint8:
        if np.isnan(pixels).any():
            raise InputError(f"the image for {path} holds NaN: expected numbers")
        pixels = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    with replacing(path) as temporary:
        # Quality concerns JPEG only, PNG is lossless.
        Image.fromarray(pixels).save(temporary, WRITABLE[path.suffix.lower()], quality=95)


def check_picture_shape(shape: tuple[int, ...], name: str) -> None:
    """Raises `InputError` unless an array of this shape is one picture, with channels last if any."""
    if len(shape) not in {2, 3} or (len(shape) == 3 and shape[-1] not in {1, 2, 3, 4}):
        raise InputError(
            f"{name} has shape {shape}: expected (height, width) or (height, width, channels), one image "
            "at a time"
        )


def contact_sheet(images: np.ndarray, columns: int = 8, gap: int = 2) -> np.ndarray:
    """Images (N, H, W, C) or (N, H, W) side by side on white, row by row, as one (H', W', C).

    uint8 images in 0..255 give a uint8 one.

    Raises:
        InputError: for something else, or fewer than one column.

    Examples:
        >>> from keras_gahr.datasets import contact_sheet, disk_images
        >>> images = disk_images(count=5, size=16, seed=0)
        >>> contact_sheet(images, columns=3).shape
        (38, 56, 1)
    """
    columns, gap = check_whole(columns, "columns", 0), check_whole(gap, "gap", 0)
    images = array_of(images)
    check_type(images, "the array")
    images = images[..., None] if images.ndim == 3 else images
    if images.ndim != 4 or columns < 1:
        raise InputError(
            f"received images of shape {images.shape} for {columns} columns, expected (count, height, "
            "width, channels) and one column or more"
        )
    count, height, width, channels = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    shape = rows * (height + gap) + gap, columns * (width + gap) + gap, channels
    sheet = np.full(shape, 255 if images.dtype == np.uint8 else 1, images.dtype)
    for k, image in enumerate(images):
        top = gap + k // columns * (height + gap)
        left = gap + k % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def list_images(folder: str | PathLike) -> list[Path]:
    """The paths of the images in a folder and its subfolders, by suffix, sorted; see `find_images`.

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import list_images, write_image
        >>> folder = tempfile.TemporaryDirectory()
        >>> write_image(f"{folder.name}/image.png", np.ones((4, 6)))
        >>> [path.name for path in list_images(folder.name)]
        ['image.png']
    """
    return find_images(folder)[0]


def find_images(folder: str | PathLike) -> tuple[list[Path], dict[str, str]]:
    """The images in a folder and its subfolders, and what was left out.

    Returns:
        The paths of the images, by suffix, sorted; and a dictionary from the names, relative to the
        folder, of all else to the reason.

    Raises:
        InputError: if it is not a folder, or has no images.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give a folder of images")
    files, left_out, unreadable = walk(folder)
    found = [name for name in files if PurePosixPath(name).suffix.lower() in READABLE]
    left_out |= unreadable | dict.fromkeys({*files} - {*found}, "not an image by its suffix")
    if not found:
        raise InputError(
            f"{folder} has no images ({len(left_out)} other files): expected .png, .jpg, .npy or others"
        )
    return [folder / name for name in found], dict(sorted(left_out.items()))
