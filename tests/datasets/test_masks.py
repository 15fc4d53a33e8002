import io

import numpy as np
import pytest
from picture_bytes import png_of
from PIL import Image

from keras_gahr.datasets.masks import read_mask
from keras_gahr.errors import InputError

KNOWN = np.ones((8, 12), bool)
KNOWN[2:6, 3:7] = False
ONES = KNOWN.astype(np.uint8)
WHITE = 255 * ONES
COLOR = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)


def saved(pixels, kind="PNG", mode=None, **options):
    file = io.BytesIO()
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(file, kind, **options)
    return file.getvalue()


def with_alpha(color, alpha):
    return np.dstack([np.broadcast_to(color, (8, 12, 3)), alpha]).astype(np.uint8)


PICTURES = {
    "0 and 1": saved(ONES),
    "0 and 255": saved(WHITE),
    "one bit": saved(WHITE, mode="1"),
    "colours": saved(np.dstack([WHITE] * 3)),
    "palette": saved(WHITE, mode="P"),
    "16 bits": saved(WHITE.astype(np.uint16) * 257),
    "0 and 1 in 16 bits": saved(ONES.astype(np.uint16)),
    "0 and 1 in 16-bit colours": png_of(np.dstack([ONES.astype(np.uint16)] * 3), 2),
    "JPEG": saved(WHITE, "JPEG", quality=95),
    "alpha of white": saved(with_alpha(255, WHITE)),
    "alpha of black": saved(with_alpha(0, WHITE)),
    "alpha of a colour": saved(with_alpha([1, 2, 3], ONES)),
    "16-bit alpha": png_of(with_alpha(7, WHITE).astype(np.uint16), 6),
    "alpha as the colours": saved(with_alpha(np.dstack([WHITE] * 3), WHITE)),
    "opaque": saved(with_alpha(np.dstack([WHITE] * 3), np.full_like(WHITE, 255))),
    "grey and alpha": saved(np.dstack([np.full_like(WHITE, 9), WHITE]), mode=None),
}
ARRAYS = {
    "bool": KNOWN,
    "uint8 0/1": ONES,
    "uint8 0/255": WHITE,
    "int64": ONES.astype(int),
    "uint16": ONES.astype(np.uint16) * 65535,
    "float": ONES.astype(np.float32),
    "float64 0/255": WHITE.astype(float),
    "half": ONES.astype(np.float16),
    "(H, W, 1)": KNOWN[..., None],
    "(H, W, 3)": np.dstack([ONES] * 3),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures(tmp_path, kind):
    (tmp_path / "a.png").write_bytes(PICTURES[kind])
    mask = read_mask(tmp_path / "a.png")
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, KNOWN)


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays(tmp_path, kind):
    np.save(tmp_path / "a.npy", ARRAYS[kind])
    np.savez(tmp_path / "a.npz", ARRAYS[kind])
    for name in ("a.npy", "a.npz"):
        np.testing.assert_array_equal(read_mask(tmp_path / name), KNOWN)


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_first(tmp_path, channels):
    np.save(tmp_path / "a.npy", np.stack([ONES] * channels))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.npy"), KNOWN)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((8, 12), np.uint8), "black everywhere"),
        (np.ones((8, 12), np.uint8), "white everywhere"),
        (np.full((8, 12), 255, np.uint8), "white everywhere"),
        (WHITE // 2 + 128 * ~KNOWN, "white everywhere|neither"),
        (np.where(KNOWN, 255, 128), "16 pixels that are neither black nor white.*round it"),
        (COLOR[..., 0], "neither black nor white"),
        (np.dstack([WHITE, 0 * WHITE, 0 * WHITE]), "is coloured"),
        (ONES.astype(float) - 1, "from -1.0 to 0.0"),
        (np.where(KNOWN, 1, np.nan), "from nan"),
        (np.where(KNOWN, np.inf, 0), "to inf"),
        (ONES.astype(str), "holds <U"),
        (np.stack([ONES, ONES]), "shape"),
        (ONES[:0], "shape"),
    ],
)
def test_arrays_that_are_no_masks(tmp_path, array, words):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=words) as caught:
        read_mask(tmp_path / "a.npy")
    assert "a.npy" in str(caught.value)


def test_pictures_that_are_no_masks(tmp_path):
    for pixels, words in (
        (with_alpha(COLOR, WHITE), "is coloured"),
        (with_alpha(np.dstack([255 - WHITE] * 3), WHITE), "another in its transparency"),
        (with_alpha(255, np.zeros_like(WHITE)), "white everywhere"),
        (with_alpha(0, np.full_like(WHITE, 9)), "black everywhere"),
        (COLOR, "is coloured"),
    ):
        (tmp_path / "a.png").write_bytes(saved(pixels))
        with pytest.raises(InputError, match=words):
            read_mask(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"none\.png does not exist"):
        read_mask(tmp_path / "none.png")
