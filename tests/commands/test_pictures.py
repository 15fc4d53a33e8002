"""What the commands say of pictures and arrays that are not what they seem."""

import json

import numpy as np
import pytest
from keras import ops
from picture_bytes import png_of, tiff
from PIL import Image

from keras_gahr.pixel_limit import current_pixel_limit
from keras_gahr.sampling.measurements import parse_measurement

pytestmark = pytest.mark.one_backend


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\nsize 1\n", "run `git lfs pull`"),
        (b"<html>quota exceeded</html>", "an HTML page, not an array: download it again"),
    ],
    ids=["lfs", "html"],
)
@pytest.mark.parametrize("name", ["a.npy", "b.npz"])
def test_arrays_that_are_none(refused, tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    line = refused("data", "array", tmp_path / name, tmp_path / "out")
    assert said in line
    assert "pickle" not in line


def test_large_pictures(gahr, refused, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(png_of(np.full((60, 50, 1), 51, np.uint8), 0))
    arguments = ["data", "folder", tmp_path / "in", tmp_path / "out", "--max-pixels"]
    assert "pass --max-pixels 3000" in refused(*arguments, 2999)
    result = gahr(*arguments, 3000)
    assert result.exit_code == 0, result.output
    assert current_pixel_limit() == 178_956_970
    assert np.all(np.load(tmp_path / "out" / "images.npy") == np.float32(0.2))


@pytest.mark.parametrize("command", ["denoise", "restore"])
def test_large_pictures_of_other_commands(refused, tiny_model, tmp_path, command):
    (tmp_path / "a.png").write_bytes(png_of(np.zeros((60, 50, 1), np.uint8), 0))
    options = ["--measurement", "grey"] if command == "restore" else []
    options += ["--out", tmp_path / "out.png", "--max-pixels", 2999]
    line = refused(command, tiny_model, tmp_path / "a.png", *options)
    assert "pass --max-pixels 3000" in line


def test_deep_pictures_in_datasets(gahr, refused, tmp_path):
    """What 8 bits do not hold is kept, or refused; what has no known unit is left out by name."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.png").write_bytes(png_of(np.full((8, 8, 3), 0x80FF, np.uint16), 2))
    (folder / "b.tif").write_bytes(tiff(np.full((8, 8), 99, np.uint32)))
    line = refused("data", "folder", folder, tmp_path / "out", "--color")
    assert "b.tif has 32-bit integers" in line
    result = gahr("data", "folder", folder, tmp_path / "out", "--color", "--skip-bad")
    assert result.exit_code == 0, result.output
    assert np.all(np.load(tmp_path / "out" / "images.npy") == np.float32(0x80FF / 65535))
    (skipped,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["skipped"]
    assert skipped["name"] == "b.tif"
    line = refused("data", "folder", folder, tmp_path / "8", "--color", "--dtype", "uint8")
    assert "a.png has more than 8 bits" in line


def test_masks_of_0_and_1_are_those_of_0_and_255(refused, tiny_model, tmp_path):
    ramp = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8)
    Image.fromarray(8 * ramp).save(tmp_path / "x.png")
    ones = (ramp > 12).astype(np.uint8)
    Image.fromarray(255 * ones).save(tmp_path / "white.png")
    Image.fromarray(ones).save(tmp_path / "ones.png")
    np.save(tmp_path / "bool.npy", ones.astype(bool))
    white = np.full_like(ones, 255)
    Image.fromarray(np.dstack([white, white, white, 255 * ones])).save(tmp_path / "alpha.png")
    masks = [
        parse_measurement(f"mask:{tmp_path / name}", (16, 16, 1)).mask
        for name in ("white.png", "ones.png", "bool.npy", "alpha.png")
    ]
    for mask in masks:
        np.testing.assert_array_equal(ops.convert_to_numpy(mask)[..., 0], ones)
    Image.fromarray(0 * ones).save(tmp_path / "black.png")
    given = ["--measurement", f"mask:{tmp_path / 'black.png'}", "--out", tmp_path / "out"]
    assert "nothing is known" in refused("restore", tiny_model, tmp_path / "x.png", *given)
