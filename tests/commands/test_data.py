"""`gahr data folder`, `mnist`, `array`, `dedup`, `overlap` and `show`."""

import json
import re
import struct

import numpy as np
import pytest
from PIL import Image

from keras_gahr.datasets import load

pytestmark = pytest.mark.one_backend


@pytest.fixture
def pictures(tmp_path):
    """A folder of five pictures, 12 x 16."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (5, 12, 16, 3), np.uint8)):
        Image.fromarray(pixels).save(folder / f"{k}.png")
    return folder


@pytest.fixture
def repeated(smooth_images, tmp_path):
    """An array of six images, the last of which repeats the first."""
    images = smooth_images(5, 40, 40)
    np.save(tmp_path / "six.npy", np.concatenate([images, 0.9 * images[:1]]))
    return tmp_path / "six.npy"


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ([], (5, 12, 16, 1)),
        (["--crop", "square", "--color"], (5, 12, 12, 3)),
        (["--crop", "8x10+1+2", "--scale", "1/2"], (5, 4, 5, 1)),
        (["--crop", "8", "--size", "4"], (5, 4, 4, 1)),
        (["--patch", "6", "--stride", "2", "--dtype", "uint8"], (5 * 4 * 6, 6, 6, 1)),
    ],
)
def test_folder(gahr, pictures, tmp_path, options, shape):
    done = gahr("data", "folder", pictures, tmp_path / "out", *options)
    assert done.exit_code == 0, done.output
    made = load(tmp_path / "out")
    assert made.images.shape == shape
    assert made.images.dtype == ("uint8" if "uint8" in options else "float32")
    assert f"{shape[0]} images of {shape[1]}x{shape[2]}x{shape[3]}" in done.output
    assert (tmp_path / "out" / "contact_sheet.png").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--crop", "round"], "received crop 'round'"),
        (["--crop", "8x8+1"], r"received crop '8x8\+1'"),
        (["--crop", "8x8+-1+0"], "received crop"),
        (["--crop", "0x8"], "received crop"),
        (["--scale", "half"], "received scale 'half'"),
        (["--scale", "1/0"], "received scale"),
        (["--scale", "nan"], "received scale"),
        (["--scale", "3"], "scale is 3"),
        (["--size", "4"], "distort"),
        (["--stride", "4"], "without a patch"),
    ],
)
def test_folder_options_that_cannot_be_used(refused, pictures, tmp_path, options, message):
    line = refused("data", "folder", pictures, tmp_path / "out", *options)
    assert re.search(message, line), line
    assert not (tmp_path / "out").exists()


def test_a_stopped_run_says_that_it_goes_on(gahr, pictures, tmp_path, monkeypatch):
    from keras_gahr.datasets.folder import Framing

    def interrupt(self, picture, name):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Framing, "framed", interrupt)
        done = gahr("data", "folder", pictures, tmp_path / "out", "--patch", 4)
    assert done.exit_code == 130
    assert "the same command goes on" in done.output
    assert gahr("data", "folder", pictures, tmp_path / "out", "--patch", 4).exit_code == 0


def test_mnist(gahr, refused, tmp_path):
    for name in "ab":
        header = struct.pack(">4I", 0x803, 3, 28, 28)
        (tmp_path / name).write_bytes(header + bytes(range(256)) * 9 + bytes(48))
    done = gahr("data", "mnist", tmp_path / "a", tmp_path / "b", tmp_path / "out")
    assert "6 images of 28x28x1 uint8" in done.output
    assert "not an IDX file" in refused("data", "mnist", __file__, tmp_path / "other")


def test_array(gahr, refused, repeated, tmp_path):
    done = gahr("data", "array", repeated, tmp_path / "out", "--patch", 20)
    assert "24 images of 20x20x1 float32" in done.output
    assert "exists" in refused("data", "array", repeated, tmp_path / "out")
    assert gahr("data", "array", repeated, tmp_path / "out", "--overwrite").exit_code == 0


def test_dedup(gahr, refused, repeated, tmp_path):
    out = tmp_path / "out"
    done = gahr("data", "dedup", repeated, out)
    assert "5 images of 40x40x1" in done.output
    assert "1 pairs among 6 images; 1 left out: image 5 (repeats image 0 (index 0)" in done.output
    assert load(out).manifest["repeats"][0][:2] == [0, 5]
    with Image.open(out / "repeats.png") as picture:
        assert picture.width > 1000
    assert "exists" in refused("data", "dedup", repeated, out)
    lines = gahr("data", "dedup", repeated, out, "--overwrite", "--format", "svg")
    assert lines.exit_code == 0, lines.output
    assert {path.name for path in out.glob("repeats.*")} == {"repeats.svg"}
    again = gahr("data", "dedup", out, out, "--threshold", 0.99, "--overwrite")
    assert "0 pairs among 5 images" in again.output
    assert not list(out.glob("repeats.*"))
    assert "threshold is 2" in refused("data", "dedup", repeated, tmp_path / "b", "--threshold", 2)


def test_overlap(gahr, refused, repeated, smooth_images, tmp_path):
    np.save(tmp_path / "other.npy", smooth_images(3, 80, 80))
    out = tmp_path / "overlap"
    done = gahr("data", "overlap", tmp_path / "other.npy", repeated, "--out", out)
    assert done.exit_code == 0, done.output
    assert "of 3 images with any of 6" in done.output
    numbers = json.loads((out / "overlap.json").read_text())
    assert len(numbers["closest_pairs"]) == 3
    assert numbers["closest_pairs"][0][2] == pytest.approx(numbers["max"])
    assert sorted(path.name for path in out.iterdir()) == [
        "closest.png",
        "histogram.png",
        "overlap.json",
    ]
    assert "exists" in refused("data", "overlap", repeated, repeated, "--out", out)
    options = ("--out", out, "--overwrite", "--format", "pdf")
    same = gahr("data", "overlap", repeated, repeated, *options)
    assert "6 above 0.95" in same.output
    assert sorted(path.name for path in out.iterdir()) == [
        "closest.pdf",
        "histogram.pdf",
        "overlap.json",
    ]
    # A folder with figures of another format is ours too.
    assert gahr("data", "overlap", repeated, repeated, *options[:-2]).exit_code == 0
    assert not list(out.glob("*.pdf"))
    assert "png" in gahr("data", "overlap", repeated, repeated, *options[:-1], "jpg").output


def test_show(gahr, refused, repeated, tmp_path):
    done = gahr("data", "show", repeated)
    assert done.exit_code == 0, done.output
    numbers = json.loads((tmp_path / "six.npy-show.json").read_text())
    images = np.load(repeated)
    assert numbers["mean"] == pytest.approx(images.mean(), rel=1e-5)
    assert f"{images.mean():.4f}, {images.std():.4f}" in done.output
    assert (tmp_path / "six.npy-show.png").is_file()
    assert "exists" in refused("data", "show", repeated)
    assert "end its name in .png" in refused("data", "show", repeated, "--out", tmp_path / "a.jpg")
    out = tmp_path / "new" / "page.png"
    assert gahr("data", "show", repeated, "--out", out, "--count", 1).exit_code == 0
    assert out.with_suffix(".json").is_file()
    lines = gahr("data", "show", repeated, "--format", "svg", "--overwrite", "--count", 1)
    assert lines.exit_code == 0, lines.output
    assert (tmp_path / "six.npy-show.svg").is_file()
    other = ("--out", tmp_path / "a.pdf", "--format", "svg")
    assert "leave one of them out" in refused("data", "show", repeated, *other)
    assert gahr("data", "show", repeated, *other[:-1], "pdf", "--count", 1).exit_code == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
