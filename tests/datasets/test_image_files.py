import numpy as np
import pytest
from PIL import Image

from keras_gahr.datasets import contact_sheet, list_images, read_image, write_image
from keras_gahr.errors import InputError


@pytest.fixture
def rgb():
    return np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)


def save(path, pixels, mode=None, **options):
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


def test_color_and_its_grey(tmp_path, rgb):
    path = save(tmp_path / "a.png", rgb)
    image = read_image(path)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, rgb / np.float32(255))
    grey = read_image(path, channels=1)
    np.testing.assert_allclose(grey[..., 0], rgb.mean(-1) / 255, rtol=1e-6)


def test_grey_and_its_color(tmp_path, rgb):
    path = save(tmp_path / "a.png", rgb[..., 0])
    assert read_image(path).shape == (6, 5, 1)
    np.testing.assert_array_equal(
        read_image(path, channels=3), np.repeat(rgb[..., :1], 3, -1) / np.float32(255)
    )


def test_16_bit_grey(tmp_path):
    pixels = np.array([[0, 1, 257], [32768, 40000, 65535]], np.uint16)
    for suffix in (".png", ".tif"):
        image = read_image(save(tmp_path / f"a{suffix}", pixels))
        np.testing.assert_allclose(image[..., 0], pixels / 65535, rtol=1e-6)


def test_one_bit(tmp_path, rgb):
    image = read_image(save(tmp_path / "a.png", rgb[..., 0], "1"))
    assert image.shape == (6, 5, 1)
    assert set(np.unique(image)) <= {0, 1}


def test_alpha_is_dropped(tmp_path, rgb):
    alpha = np.full((6, 5, 1), 7, np.uint8)
    color = read_image(save(tmp_path / "a.png", np.concatenate([rgb, alpha], -1)))
    np.testing.assert_array_equal(color, rgb / np.float32(255))
    grey = Image.merge("LA", [Image.fromarray(rgb[..., 0]), Image.fromarray(alpha[..., 0])])
    grey.save(tmp_path / "b.png")
    np.testing.assert_array_equal(read_image(tmp_path / "b.png"), rgb[..., :1] / np.float32(255))


def test_palette_becomes_color(tmp_path, rgb):
    picture = Image.fromarray(rgb).quantize(8)
    picture.save(tmp_path / "a.png")
    expected = np.asarray(picture.convert("RGB")) / np.float32(255)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), expected)


def test_exif_orientation_is_applied(tmp_path, rgb):
    exif = Image.Exif()
    exif[0x0112] = 6  # To be shown turned by 90 degrees clockwise.
    path = save(tmp_path / "a.png", rgb, exif=exif)
    np.testing.assert_array_equal(read_image(path), np.rot90(rgb, -1) / np.float32(255))


def test_npy_images(tmp_path, rgb):
    np.save(tmp_path / "bytes.npy", rgb)
    np.save(tmp_path / "floats.npy", rgb[..., 0] / 255)
    np.testing.assert_array_equal(read_image(tmp_path / "bytes.npy"), rgb / np.float32(255))
    assert read_image(tmp_path / "floats.npy").shape == (6, 5, 1)


def test_float_tiff_must_lie_in_the_range(tmp_path):
    pixels = np.array([[0, 0.25], [0.5, 1]], np.float32)
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.tif", pixels))[..., 0], pixels)
    with pytest.raises(InputError, match=r"from 0 to 300"):
        read_image(save(tmp_path / "b.tif", 300 * pixels))


def test_files_that_are_not_images(tmp_path, rgb):
    (tmp_path / "text.png").write_text("text")
    (tmp_path / "none.jpg").write_bytes(b"")
    whole = save(tmp_path / "whole.png", rgb).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    np.save(tmp_path / "nan.npy", np.full((3, 3), np.nan))
    np.save(tmp_path / "large.npy", np.full((3, 3), 2.0))
    np.save(tmp_path / "many.npy", np.zeros((4, 3, 3, 1)))
    for name, message in {
        "missing.png": "does not exist",
        "text.png": "not an image",
        "none.jpg": "not an image",
        "cut.png": "damaged",
        "nan.npy": "NaN",
        "large.npy": r"expected \[0, 1\]",
        "many.npy": "expected one image",
    }.items():
        with pytest.raises(InputError, match=message) as caught:
            read_image(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="2 channels"):
        read_image(tmp_path / "whole.png", channels=2)


def test_writing_clips_and_rounds(tmp_path):
    image = np.array([[-0.5, 0.1], [0.5, 1.7]], np.float32)
    write_image(tmp_path / "new" / "a.png", image[..., None])
    expected = np.array([[0, 26], [128, 255]], np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "new" / "a.png")), expected)


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.jpg", "a.jpeg"])
def test_written_images_can_be_read(tmp_path, rgb, name):
    smooth = np.linspace(0.2, 0.8, 300, dtype=np.float32).reshape(10, 10, 3)
    write_image(tmp_path / name, smooth)
    np.testing.assert_allclose(read_image(tmp_path / name), smooth, atol=0.05)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_images_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match=r"\.png or \.jpg"):
        write_image(tmp_path / "a.bmp", np.zeros((3, 3)))
    with pytest.raises(ValueError, match="NaN"):
        write_image(tmp_path / "a.png", np.full((3, 3), np.nan))
    assert not list(tmp_path.iterdir())


def test_listing(tmp_path, rgb):
    for name in ("b.png", "a.JPG", "c.npy", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_images(tmp_path)] == ["a.JPG", "b.png", "c.npy"]
    with pytest.raises(InputError, match="has no images"):
        list_images(tmp_path / "folder.png")
    with pytest.raises(InputError, match="not a folder"):
        list_images(tmp_path / "b.png")


def test_contact_sheet_places_images_row_by_row():
    images = np.stack([np.full((4, 3, 1), value, np.float32) for value in (0.1, 0.2, 0.3)])
    sheet = contact_sheet(images, columns=2, gap=1)
    assert sheet.shape == (11, 9, 1)
    assert sheet[1, 1, 0] == np.float32(0.1)
    assert sheet[1, 5, 0] == np.float32(0.2)
    assert sheet[6, 1, 0] == np.float32(0.3)
    assert sheet[6, 5, 0] == sheet[0, 0, 0] == 1
