"""One rule for the values of images in files, whatever reads them."""

import warnings

import numpy as np
import pytest
from PIL import Image

from keras_gahr.datasets import load, read_image
from keras_gahr.datasets.arrays import NOISY, take
from keras_gahr.datasets.image_arrays import as_images
from keras_gahr.datasets.image_files import open_images
from keras_gahr.datasets.store import as_dataset
from keras_gahr.errors import InputError


@pytest.fixture
def levels():
    """Images of values that float16 holds."""
    return np.arange(5 * 8 * 6).reshape(5, 8, 6) % 17 / 16


def values(array, path, **options):
    """What is read of an array, as float32."""
    np.save(path, array)
    images, _ = open_images(path, **options)
    return take(images, slice(None), None if "limits" in options else (0, 1))


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", ">f2", ">f4", ">f8", "longdouble"]
)
@pytest.mark.parametrize("limits", [(0, 1), NOISY])
def test_floats_of_every_kind(levels, dtype, limits, tmp_path):
    for order in "CF":
        array = np.asarray(levels, dtype, order=order)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = values(array, tmp_path / "x.npy", limits=limits)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found[..., 0], levels)


def test_bytes_and_booleans(levels, tmp_path):
    pixels = (levels * 255).astype(np.uint8)
    np.testing.assert_array_equal(
        values(pixels, tmp_path / "x.npy")[..., 0], pixels / np.float32(255)
    )
    np.testing.assert_array_equal(
        values(levels > 0.5, tmp_path / "x.npy")[..., 0], np.float32(levels > 0.5)
    )
    assert not values(0 * pixels, tmp_path / "x.npy").any()
    np.save(tmp_path / "x.npy", levels > 0.5)
    np.testing.assert_array_equal(
        load(tmp_path / "x.npy").as_float()[..., 0], np.float32(levels > 0.5)
    )


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        (lambda x: x * 255, "looks like 0..255: divide it by 255"),
        (lambda x: np.rint(x * 255).astype(np.float16), "looks like 0..255"),
        (lambda x: x * 65535, "looks like 0..65535"),
        (lambda x: x * 2 - 1, r"looks like -1..1: take \(x \+ 1\) / 2"),
        (lambda x: x * 1.1 - 0.05, "clip it"),
        (lambda x: (x > 0.5).astype(np.uint8), "0 and 1 alone.*multiply it by 255"),
        (lambda x: (x * 65535).astype(np.uint16), "uint16.*divide 0..65535 by 65535"),
        (lambda x: (x * 255).astype(np.int64), "int64.*save 0..255 as uint8"),
        (lambda x: (x * 127).astype(np.int8), "int8"),
        (lambda x: x + 0j, "complex"),
        (lambda x: np.where(x > 0.9, np.nan, x), "NaN"),
        (lambda x: np.where(x > 0.9, np.inf, x), "not finite"),
        (lambda x: np.where(x > 0.9, -np.inf, x), "not finite"),
    ],
)
def test_other_units_are_refused_with_the_mend(levels, change, mend, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for read in (open_images, load, read_image):
            np.save(tmp_path / "x.npy", change(levels[:1] if read is read_image else levels))
            with pytest.raises(InputError, match=mend) as caught:
                read(tmp_path / "x.npy")
            assert "\n" not in str(caught.value)
            assert "x.npy" in str(caught.value)


def test_noise_leaves_the_range_but_not_by_much(levels, tmp_path):
    noisy = levels + np.random.default_rng(0).standard_normal(levels.shape)
    np.testing.assert_array_equal(
        values(noisy, tmp_path / "x.npy", limits=NOISY)[..., 0], noisy.astype(np.float32)
    )
    for wrong in (noisy * 255, noisy / 0.01, np.where(levels > 0.9, np.nan, noisy)):
        with pytest.raises(InputError, match=r"x\.npy"):
            values(wrong, tmp_path / "x.npy", limits=NOISY)


def test_a_photo_is_one_image(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (48, 40, 3), np.uint8)
    np.save(tmp_path / "x.npy", photo)
    np.testing.assert_array_equal(load(tmp_path / "x.npy").images, photo[None])
    np.save(tmp_path / "x.npy", np.moveaxis(photo, -1, 0))
    with pytest.raises(InputError, match="layout NHW or CHW"):
        load(tmp_path / "x.npy")
    np.testing.assert_array_equal(load(tmp_path / "x.npy", layout="CHW").images, photo[None])
    np.testing.assert_array_equal(
        read_image(tmp_path / "x.npy", layout="CHW"), photo / np.float32(255)
    )


def test_suffixes_in_capitals_and_of_pictures(tmp_path):
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    np.save(tmp_path / "x", pixels)
    (tmp_path / "x.npy").rename(tmp_path / "x.NPY")
    np.savez(tmp_path / "x.npz", images=pixels)
    for suffix in ("jfif", "JPE"):
        Image.fromarray(pixels).save(tmp_path / f"x.{suffix}", "JPEG", quality=100)
    for name in ("x.NPY", "x.npz", "x.jfif", "x.JPE"):
        np.testing.assert_allclose(read_image(tmp_path / name)[..., 0], pixels / 255, atol=0.01)


@pytest.mark.parametrize(
    "take_images", [lambda x: as_images(x)[0], lambda x: as_dataset(x).as_float()]
)
def test_what_is_no_plain_array(levels, take_images):
    """Nothing of its meaning is lost: neither the palette of a picture nor what a mask leaves out."""
    pixels = np.uint8(255 * levels[0])
    color = np.dstack([pixels, pixels[::-1], pixels // 2])
    for array in (pixels, color, pixels > 99):
        picture = Image.fromarray(array)
        expected = array / (1 if array.dtype == bool else 255)
        np.testing.assert_allclose(take_images(picture).squeeze(), expected, atol=1e-6)
        for mode in ("P", "RGBA", "CMYK", "HSV", "YCbCr", "I;16"):
            kind = picture.convert("L" if mode == "I;16" else "RGB").convert(mode)
            with pytest.raises(InputError, match="expected L or RGB"):
                take_images(kind)
    masked = np.ma.masked_array(levels, levels > 0.9)
    with pytest.raises(InputError, match="masked"):
        take_images(masked)
    np.testing.assert_array_equal(take_images(np.ma.masked_array(levels))[..., 0], levels)


def test_what_is_no_array(levels, tmp_path):
    for path in ("x.png", tmp_path / "x.png"):
        with pytest.raises(InputError, match=r"received the path .*read_image"):
            as_images(path)
    with pytest.raises(InputError, match="several sizes"):
        as_images([levels[0], levels[1][:4]])
    np.testing.assert_array_equal(as_images(list(levels))[0][..., 0], levels)
