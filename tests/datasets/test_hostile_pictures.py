"""Damaged pictures, of each format and depth: an image or one line, never more."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_bytes import chunk, png_of, tiff
from PIL import Image

from keras_gahr.datasets import pixel_limit
from keras_gahr.datasets.decoding import decode_picture
from keras_gahr.errors import InputError
from keras_gahr.impostors import impostor_from

LIMIT = 10**6
DEEP = (np.arange(7 * 9 * 4).reshape(7, 9, 4) * 257).astype(np.uint16)
SHALLOW = (DEEP >> 8).astype(np.uint8)


def saved(kind, mode="RGB", **options):
    file = io.BytesIO()
    Image.fromarray(SHALLOW[..., :3]).convert(mode).save(file, kind, **options)
    return file.getvalue()


SEEDS = [
    *(saved(kind) for kind in ("BMP", "GIF", "JPEG", "PPM", "TIFF", "WEBP")),
    saved("JPEG", "CMYK"),
    saved("JPEG", progressive=True),
    saved("PNG", "P"),
    saved("TIFF", compression="tiff_lzw"),
    png_of(
        DEEP[..., :3],
        2,
        chunks=chunk(b"eXIf", b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6" + bytes(7)),
    ),
    png_of(DEEP[..., :2], 4, chunks=chunk(b"zTXt", b"a\0\0x\x9cK\4\0\0b\0b")),
    *(tiff(DEEP, 2, order, packed, extra=2) for order in "<>" for packed in (False, True)),
    tiff(DEEP[..., 0], 0),
    tiff(DEEP[..., 0].astype(np.float32), 1, ">", True),
    b"P6\n9 7\n1000\n" + (DEEP[..., :3] % 1001).astype(">u2").tobytes(),
    b"P3\n9 7\n100\n" + b" ".join(b"%d" % value for value in SHALLOW[..., :3].ravel() % 101),
    b"Pf\n9 7\n-1.0\n" + DEEP[..., 0].astype("<f4").tobytes(),
]
SEVERAL = [
    saved(kind, save_all=True, append_images=[Image.new("RGB", (9, 7))])
    for kind in ("GIF", "TIFF", "PNG", "WEBP")
]


@st.composite
def damaged(draw):
    """A seed with bytes changed, cut out, doubled or put in."""
    data = bytearray(draw(st.sampled_from(SEEDS + SEVERAL)))
    for _ in range(draw(st.integers(1, 4))):
        # Headers decide most.
        place = draw(st.integers(0, min(len(data), 80)) | st.integers(0, len(data)))
        size = draw(st.integers(0, 8))
        match draw(st.sampled_from(["change", "cut", "double", "put in", "end"])):
            case "change":
                data[place : place + size] = draw(st.binary(min_size=size, max_size=size))
            case "cut":
                del data[place : place + size]
            case "double":
                data[place:place] = data[place : place + size]
            case "put in":
                data[place:place] = draw(st.binary(max_size=8))
            case "end":
                del data[place:]
    return bytes(data)


def decoded(data):
    with pixel_limit(LIMIT):
        try:
            picture = decode_picture(data, "x")
        except InputError as error:
            assert str(error).startswith("x ")
            assert len(str(error).splitlines()) == 1
            assert str(error).isprintable()
            return
    height, width, channels = picture.color.shape
    assert height * width <= LIMIT
    assert channels in (1, 3)
    assert picture.color.dtype in (np.uint8, np.float32)
    assert picture.alpha is None or picture.alpha.shape == (height, width)


@pytest.mark.parametrize("data", SEEDS, ids=map(str, range(len(SEEDS))))
def test_the_seeds_are_sound(data):
    assert decode_picture(data, "x").color.shape[:2] in {(7, 9), (9, 7)}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=1200, derandomize=True, deadline=None, database=None)
@given(damaged())
def test_damaged_pictures(data):
    decoded(data)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=500, derandomize=True, deadline=None, database=None)
@given(st.binary(max_size=60), st.sampled_from([data[:12] for data in SEEDS] + [b""]))
def test_any_bytes(data, start):
    decoded(start + data)
    impostor_from(start + data, "x", "an image")
