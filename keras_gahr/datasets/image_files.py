"""Single images in files: PNG, JPEG and whatever else Pillow reads, and `.npy`."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from keras_gahr.errors import InputError
from keras_gahr.files import replacing
from keras_gahr.impostors import impostor_from

from .arrays import check_values, read_array, to_float

READABLE = {
    ".bmp",
    ".gif",
    ".jpeg",
    ".jpg",
    ".npy",
    ".pgm",
    ".png",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
}
WRITABLE = {".jpeg": "JPEG", ".jpg": "JPEG", ".png": "PNG"}


def read_image(path, channels=None):
    """One image as float32 (H, W, C) in [0, 1].

    Grey is the mean of red, green and blue. 8-bit values are divided by 255 and 16-bit grey ones by
    65535 (Pillow reduces 16-bit colour to 8 bits). Transparency is dropped, a palette becomes
    colour, the orientation in EXIF is applied; of several frames the first counts.

    Args:
        path: a picture, or a `.npy` array (H, W) or (H, W, C), uint8 or floats in [0, 1].
        channels: 1 for grey, 3 for colour, None for what the file has.

    Raises:
        InputError: if the file is missing, damaged, not an image, or outside [0, 1].
    """
    if channels not in {None, 1, 3}:
        raise InputError(f"{channels} channels asked for: expected 1 (grey) or 3 (colour)")
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is not a file: give an image")
    if path.suffix.lower() == ".npy":
        pixels = read_array(path)
    else:
        pixels = _pixels(open_picture(path.read_bytes(), path))
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[-1] not in {1, 3}:
        raise InputError(
            f"{path} has shape {pixels.shape}: expected one image, (H, W) or (H, W, C), C = 1 or 3"
        )
    check_values(pixels, path)
    image = to_float(pixels)
    if channels == 1 and image.shape[-1] == 3:
        return image.mean(axis=-1, keepdims=True)
    if channels == 3 and image.shape[-1] == 1:
        return image.repeat(3, axis=-1)
    return image


def open_picture(data, name):
    """The Pillow image in the bytes of a file, decoded and turned as its EXIF says.

    Raises:
        InputError: naming `name`, if they are not a picture or a damaged one.
    """
    try:
        picture = Image.open(io.BytesIO(data))
        picture.load()
        return ImageOps.exif_transpose(picture)
    except Image.UnidentifiedImageError as error:
        raise impostor_from(data, name, "an image", {"picture"}) or InputError(
            f"{name} is not an image: expected a PNG or JPEG file"
        ) from error
    except Exception as error:  # Pillow raises whatever the damaged part happened to cause.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{name} is damaged: {reason}; replace the file") from error


def is_deep(picture):
    """Whether a Pillow image has more than 8 bits a value."""
    return picture.mode == "F" or picture.mode.startswith("I")


def _pixels(picture):
    """(H, W) or (H, W, 3), uint8 or floats; floats in [0, 1] unless the file holds something else.

    Pillow's "I" is a 16-bit PNG in its older versions, "I;16" and its variants in newer ones.
    """
    if picture.mode == "F":
        return np.asarray(picture)
    if is_deep(picture):
        return np.asarray(picture, np.float32) / 65535
    grey = picture.mode in {"1", "L", "LA"}
    return np.asarray(picture.convert("L" if grey else "RGB"))


def write_image(path, image):
    """Writes an image as PNG or JPEG, by the suffix; whole or not at all, replacing an older file.

    Args:
        path: ends in .png, .jpg or .jpeg.
        image: (H, W), (H, W, 1) or (H, W, 3), floats; clipped to [0, 1] and rounded to 8 bits.

    Raises:
        InputError: if the suffix is another one.
        ValueError: if the image holds NaN.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITABLE:
        raise InputError(f"{path} cannot be written: end its name in .png or .jpg")
    if np.isnan(image).any():
        raise ValueError(f"the image for {path} holds NaN")
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    with replacing(path) as temporary:
        # Quality concerns JPEG only, PNG is lossless.
        Image.fromarray(pixels).save(temporary, WRITABLE[path.suffix.lower()], quality=95)


def contact_sheet(images, columns=8, gap=2):
    """Images (N, H, W, C) in [0, 1] side by side on white, row by row, as one (H', W', C)."""
    count, height, width, channels = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    sheet = np.ones(
        (rows * (height + gap) + gap, columns * (width + gap) + gap, channels), images.dtype
    )
    for k, image in enumerate(images):
        top = gap + k // columns * (height + gap)
        left = gap + k % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def list_images(folder):
    """The paths of the images directly in a folder, by suffix, sorted by name; no hidden files.

    Raises:
        InputError: if it is not a folder or has none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give a folder of images")
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in READABLE and not path.name.startswith(".") and path.is_file()
    )
    if not found:
        raise InputError(f"{folder} has no images: expected files such as .png, .jpg or .npy")
    return found
