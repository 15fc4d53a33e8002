"""Pixel values from the bytes of picture files, by Pillow: exact, or not at all."""

import contextlib
import dataclasses
import functools
import io
import re
import sys
import threading
from os import PathLike

import numpy as np
from PIL import (  # The plugins enter themselves in Image.OPEN.
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,
    WebPImagePlugin,  # noqa: F401
)

from keras_gahr.errors import InputError
from keras_gahr.impostors import impostor_from
from keras_gahr.names import reason_of
from keras_gahr.pixel_limit import current_pixel_limit

from .netpbm import netpbm_values

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM")
"""What is read; no other plugin of Pillow sees a byte of the file."""

_PILLOW_LIMIT = threading.Lock()
_SAVE = "save it as PNG of 8 or 16 bits, or as TIFF of floats in [0, 1] (float32)"

# The bytes that Pillow leaves out of 16-bit colours are those it keeps of the other byte order.
_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}

_BYTES, _DEEP_BYTES = 12, 48
"""Of a pixel: in colour as float32; the latter with the halves of 16-bit values."""

# The tags that say what a page of a TIFF is, and what they say of smaller versions and of masks.
_PAGE_KINDS = (254, 255)
_SMALLER_OR_MASK, _OLD_SMALLER = 1 | 4, 2

_MOST_VERSIONS = 32
"""Of one picture: each has half the sides of the one before."""

# PNG chunks of text longer than this could hold more than the 1 MiB that Pillow inflates.
_TEXT_BYTES = 1000


@dataclasses.dataclass(frozen=True, eq=False)
class Decoded:
    """What is in a picture.

    Attributes:
        color: (H, W, 1) of a grey picture, else RGB (H, W, 3): uint8; or float32, where 8 bits do
            not hold the values, in [0, 1] unless a TIFF of floats leaves it.
        alpha: (H, W) of a picture with transparency, in the same way, else None.
    """

    color: np.ndarray
    alpha: np.ndarray | None = None


def decode_picture(data: bytes, name: str | PathLike) -> Decoded:
    """The pixel values in the bytes of a picture file.

    Values are divided by the largest that the file's depth has. The orientation in EXIF is applied,
    a palette, CMYK and YCbCr become RGB, and white is 1 where the file says that it is 0.

    Args:
        data: all bytes of the file.
        name: what errors call it.

    Returns:
        A `Decoded`.

    Raises:
        InputError: if the file is no picture, damaged, holds several (but for smaller versions of the
            same, and what phones keep behind a photo), has too many pixels (see `pixel_limit`), or if
            it is not known what its values mean, as of integers that are signed or of 32 bits.
    """
    try:
        try:
            return _decode(data, name)
        except ValueError as error:
            if "MAX_TEXT" not in str(error):
                raise
        return _decode(_without_text(data), name)
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} is larger than such files may be: save it as PNG") from error
    except SyntaxError as error:  # What Pillow raises for what it does not know.
        raise InputError(
            f"{name} is damaged or of a kind that is not read ({error}): {_SAVE}"
        ) from error
    except Exception as error:  # Pillow raises whatever the damaged part happened to cause.
        raise InputError(f"{name} is damaged: {reason_of(error)}; replace the file") from error


def decoded_size(data: bytes) -> int | None:
    """The bytes that the picture in those of a file takes while it is decoded; None if it does not say.

    Args:
        data: all bytes of the file.
    """
    try:
        picture = _open(data)
    except Exception:  # As in `decode_picture`, which will say why.
        return None
    if picture is None:
        return 0
    deep = ";16" in _rawmode(picture) or picture.mode[0] in "IF" or _is_deep_planar(picture)
    return picture.width * picture.height * (_DEEP_BYTES if deep else _BYTES)


def _decode(data, name):
    picture = _open(data)
    if picture is None:
        raise impostor_from(data, name, "an image", {"picture"}) or InputError(
            f"{name} is not an image: expected a PNG or JPEG file"
        )
    width, height = picture.size
    if width * height > current_pixel_limit():
        raise InputError(
            f"{name} has {width} x {height} = {width * height} pixels, more than the limit of "
            f"{current_pixel_limit()}: if it is sound, pass --max-pixels {width * height}"
        )
    if reason := _refusal(picture):
        raise InputError(f"{name} has {reason}: {_SAVE}")
    if picture.format == "TIFF" and _lacks_pixels(picture):
        raise InputError(f"{name} is damaged: strips or tiles are missing; replace the file")
    if _is_first_of_several(picture, data):
        raise InputError(
            f"{name} holds several pictures, as pages or an animation, expected one: save each as PNG"
        )
    return _values(picture, functools.partial(_open, data), data)


def _open(data):
    """The picture, not decoded yet; None if no plugin knows the first bytes.

    Image.open would compare its size with a limit that only the whole process can change.
    """
    for name in FORMATS:
        factory, accept = Image.OPEN[name]
        if accept(data[:16]) is True:
            return factory(io.BytesIO(data), "")
    return None


def _refusal(picture):
    """What of a picture is not known or not read rightly, or None."""
    rawmode = _rawmode(picture)
    if picture.format == "TIFF":
        tags = picture.tag_v2
        if 2 in np.atleast_1d(tags.get(TiffImagePlugin.SAMPLEFORMAT, 1)):
            return "signed integers, whose range is not known"
        if picture.mode == "I":
            return "32-bit integers, whose range is not known"
        if picture.mode == "F" and _is_white_zero(picture):
            return "floats, white being 0"
        if _is_deep_planar(picture) and not picture.mode.startswith("I;16"):
            # Of compressed ones Pillow chooses by itself how bytes are unpacked.
            plain = all(tile[0] == "raw" for tile in picture.tile)
            if not plain or {*_letters(picture)} - {*"RGBA"} or picture.mode not in {"RGB", "RGBA"}:
                return (
                    "16-bit colours in separate planes that are compressed, CMYK or premultiplied"
                )
    if picture.mode == "LAB":
        return "Lab colours"
    if rawmode.startswith(("RGBa;16", "CMYK;16")):
        return "16-bit colours that are CMYK or premultiplied"
    return None


def _is_first_of_several(picture, data):
    if picture.format != "TIFF":
        return picture.format != "MPO" and getattr(picture, "is_animated", False)
    if not picture.is_animated:
        return False
    pages = _open(data)
    assert pages is not None  # As the picture was.
    try:
        for page in range(1, _MOST_VERSIONS):
            pages.seek(page)
            kind, old_kind = (pages.tag_v2.get(tag, 0) for tag in _PAGE_KINDS)
            if not kind & _SMALLER_OR_MASK and old_kind != _OLD_SMALLER:
                return True
    except EOFError:
        return False
    return True


def _is_planar(picture):
    """Whether it is a TIFF in which each channel has an image of its own."""
    return (
        picture.format == "TIFF"
        and picture.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2
    )


def _is_deep_planar(picture):
    """The same, of 16-bit values."""
    return _is_planar(picture) and 16 in np.atleast_1d(
        picture.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, 1)
    )


def _letters(picture):
    """Of a TIFF in planes, the first letters of how each part is unpacked: the channels'."""
    return [tile[3][0][0] for tile in picture.tile]


def _lacks_pixels(picture):
    """Whether a TIFF lists too few strips or tiles; Pillow leaves what they would have held black."""
    if any(tile[0] != "raw" for tile in picture.tile):
        return False  # The library that inflates them looks at that.
    planes = (
        int(picture.tag_v2.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)) if _is_planar(picture) else 1
    )
    area = sum((right - left) * (low - top) for _, (left, top, right, low), *_ in picture.tile)
    return area < planes * picture.width * picture.height


def _is_white_zero(picture):
    return (
        picture.format == "TIFF"
        and picture.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0) == 0
    )


def _rawmode(picture):
    """How the values lie in the file, in Pillow's words, or ""."""
    if not picture.tile:
        return ""
    rawmode = picture.tile[0][3]
    rawmode = rawmode if isinstance(rawmode, str) or not rawmode else rawmode[0]
    return rawmode if isinstance(rawmode, str) else ""


def _values(picture, reopen, data):
    if picture.format == "PPM":
        values = netpbm_values(picture, data)
        if values is not None:
            return Decoded(values)
    rawmode = _rawmode(picture)
    if rawmode == "LA;16B":
        # Read as four bytes, as which Pillow keeps all of them.
        both = _bytes_as(picture, "RGBA").astype(np.uint16)
        grey, alpha = (both[..., k] << 8 | both[..., k + 1] for k in (0, 2))
        return Decoded(_fraction(grey[..., None], 65535), _fraction(alpha, 65535))
    if _is_deep_planar(picture) and picture.mode.startswith("RGB"):
        order = "L" if picture.tag_v2.prefix == b"II" else "B"
        high = _bytes_as(picture, f"{{}};16{order}").astype(np.uint16)
        return _deep(high, _bytes_as(reopen(), f"{{}};16{_OTHER_BYTE[order]}"))
    if found := re.fullmatch(r"(RGB[AX]?;16)([BLN])", rawmode):
        high = np.asarray(_loaded(picture)).astype(np.uint16)
        return _deep(high, _bytes_as(reopen(), found[1] + _OTHER_BYTE[found[2]]))
    if picture.mode.startswith("I"):
        twelve = rawmode == "I;12" or (
            picture.format == "TIFF"
            and 12 in np.atleast_1d(picture.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, 1))
        )
        # Of the name of the mode Pillow keeps a letter where there are planes, as if it were a channel's.
        alone = _is_deep_planar(picture) and picture.tile[0][0] == "raw"
        grey = _bytes_as(picture, picture.mode) if alone else np.asarray(_loaded(picture))
        grey = _fraction(grey[..., None], 4095 if twelve else 65535)
        return Decoded(np.float32(1) - grey if _is_white_zero(picture) else grey)
    if picture.mode == "F":
        # What is compressed comes in the processor's byte order, which Pillow overlooks.
        compressed = picture.tile[0][0] == "libtiff"
        values = _bytes_as(picture, "F;32NF") if compressed else np.asarray(_loaded(picture))
        return Decoded(values[..., None])
    return _shallow(_loaded(picture))


def _deep(high, low):
    """The values of colours from both halves of their 16 bits."""
    values = _fraction(high << 8 | low, 65535)
    return Decoded(values[..., :3], values[..., 3] if values.shape[-1] == 4 else None)


def _shallow(picture):
    """The values of a loaded picture of at most 8 bits."""
    if picture.mode in {"La", "RGBa"}:
        picture = picture.convert(picture.mode.upper())
    grey = picture.mode in {"1", "L", "LA"}
    if picture.mode not in {"LA", "RGBA", "PA"} and "transparency" not in picture.info:
        color = np.asarray(picture.convert("L" if grey else "RGB"))
        return Decoded(color[..., None] if grey else color)
    if picture.mode == "1":
        picture = picture.convert("L")
    values = np.asarray(picture.convert("LA" if grey else "RGBA"))
    return Decoded(values[..., :-1], values[..., -1])


def _fraction(values, largest):
    return np.divide(values, largest, dtype=np.float32)


def _bytes_as(picture, rawmode):
    """The values of a picture whose bytes are unpacked in another way, in Pillow's words.

    A `{}` in these stands for the way in which each tile would have been.
    """

    def unpacked_so(tile):
        arguments = tile[3]
        if isinstance(arguments, str):
            new = rawmode.format(arguments)
        else:
            new = (rawmode.format(arguments[0]), *arguments[1:])
        return getattr(type(tile), "_make", tuple)((*tile[:3], new))

    picture.tile = [unpacked_so(tile) for tile in picture.tile]
    return np.asarray(_loaded(picture))


def _loaded(picture):
    """The picture, decoded and turned as its EXIF says.

    Pillow compares some formats with its own limit once more. For a picture above it, which is
    within ours, that is lifted for as long as it takes; such pictures are decoded one by one.
    """
    pillow_limit = Image.MAX_IMAGE_PIXELS
    large = pillow_limit is not None and picture.width * picture.height > pillow_limit
    with _PILLOW_LIMIT if large else contextlib.nullcontext():
        if large:
            pillow_limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            picture.load()
            return ImageOps.exif_transpose(picture)
        finally:
            if large:
                Image.MAX_IMAGE_PIXELS = pillow_limit


def _without_text(data):
    """A PNG file without its long chunks of text, of which Pillow inflates no more than a part."""
    kept, place = [data[:8]], 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kind, end = data[place + 4 : place + 8], place + 12 + length
        if length <= _TEXT_BYTES or kind not in {b"zTXt", b"iTXt", b"tEXt"}:
            kept.append(data[place:end])
        place = end
    return b"".join(kept)
