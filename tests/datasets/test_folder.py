"""Any pictures: cropped, scaled, cut into patches."""

import contextlib
import itertools
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from encoded_pictures import png
from PIL import Image

from keras_gahr.datasets import make_faces, pictures
from keras_gahr.datasets.folder import Framing, make_folder
from keras_gahr.errors import InputError


def numbered(height, width):
    """A picture in which red is the row, green the column."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, 0 * rows], axis=-1).astype(np.uint8)


def framed(height, width, **settings):
    return Framing(**settings).apply(numbered(height, width), "x.png")


def test_the_faces_of_celeba(half_files, big_files, folder_of, tmp_path):
    half, big = folder_of(half_files, "half"), folder_of(big_files, "big")
    for source, name, framing, size in [
        (half, "a", Framing(crop=(80, 80)), 80),
        (big, "b", Framing(crop=(160, 160), scale=0.5), 80),
        (big, "c", Framing(crop=(160, 160, 29, 9), size=(40, 40)), 40),
    ]:
        made = make_folder(source, tmp_path / name, framing)
        faces = make_faces(source, tmp_path / f"{name}-faces", size)
        np.testing.assert_array_equal(made.images, faces.images)


def test_pictures_as_they_are(folder_of, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 9, 7, 3), np.uint8)
    source = folder_of({f"{k}.png": png(image) for k, image in enumerate(pixels)})
    made = make_folder(source, tmp_path / "color", color=True, dtype="uint8")
    np.testing.assert_array_equal(made.images, pixels)
    assert made.manifest["parameters"] == {
        "source": "pictures",
        "color": True,
        "skip_bad": False,
    }
    grey = make_folder(source, tmp_path / "grey")
    np.testing.assert_allclose(grey.images[..., 0], pixels.mean(-1) / 255, atol=1e-7)


@pytest.mark.parametrize(
    ("crop", "corner", "size"),
    [
        ((6, 4), (2, 4), (6, 4)),
        ((5, 5), (2, 3), (5, 5)),
        ((6, 4, 0, 8), (0, 8), (6, 4)),
        ("square", (0, 1), (10, 10)),
        (None, (0, 0), (10, 12)),
    ],
)
def test_crops(crop, corner, size):
    [image] = framed(10, 12, crop=crop)
    assert image.shape[:2] == size
    assert tuple(image[0, 0, :2]) == corner


@pytest.mark.parametrize(
    ("settings", "size"),
    [({"scale": 0.5}, (10, 15)), ({"scale": 0.01}, (1, 1)), ({"size": (7, 10)}, (7, 10))],
)
def test_scales(settings, size):
    [image] = framed(20, 30, **settings)
    expected = Image.fromarray(numbered(20, 30)).resize(size[::-1], Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(image, np.asarray(expected))


def test_patches_row_by_row():
    patches = framed(10, 13, patch=4, stride=3)
    corners = [tuple(patch[0, 0, :2]) for patch in patches]
    assert corners == [(row, column) for row in (0, 3, 6) for column in (0, 3, 6, 9)]
    assert all(np.array_equal(p - p[0, 0], numbered(4, 4)) for p in patches)
    assert len(framed(10, 13, patch=4)) == 2 * 3


def test_patches_of_pictures_of_several_sizes(folder_of, tmp_path):
    source = folder_of({"a.png": png(numbered(8, 8)), "b.png": png(numbered(4, 9))})
    made = make_folder(source, tmp_path / "out", Framing(patch=4), color=True)
    assert made.images.shape == (6, 4, 4, 3)
    assert [file["name"] for file in made.manifest["sources"]] == ["a.png"] * 4 + ["b.png"] * 2
    assert made.manifest["parameters"]["patch"] == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": (11, 4)}, "x.png is 10 x 12 .*does not fit"),
        ({"crop": (4, 4, 0, 9)}, "does not fit"),
        ({"crop": (4, 4, -1, 0)}, "does not fit"),
        ({"crop": (0, 4)}, "does not fit"),
        ({"size": (20, 24)}, "nothing is enlarged"),
        ({"size": (5, 5)}, "distort.*square"),
        ({"patch": 11}, "smaller than a patch"),
        ({"scale": 0.0}, "scale is 0"),
        ({"scale": 2.0}, "scale is 2"),
        ({"scale": 0.5, "size": (5, 6)}, "both a scale and a size"),
        ({"stride": 2}, "without a patch"),
        ({"patch": 0}, "patch is 0"),
        ({"patch": 4, "stride": -1}, "stride is -1"),
    ],
)
def test_framings_that_do_not_fit(settings, message):
    with pytest.raises(InputError, match=message) as caught:
        framed(10, 12, **settings)
    assert "\n" not in str(caught.value)


def test_pictures_of_several_sizes_are_refused_or_skipped(folder_of, tmp_path):
    files = {"a.png": b"text", "b.png": png(numbered(8, 8)), "c.png": png(numbered(8, 9))}
    source = folder_of(files)
    with pytest.raises(InputError, match=r"a\.png is a text .*, not an image"):
        make_folder(source, tmp_path / "out")
    with pytest.raises(InputError, match=r"c\.png gives an image of 8 x 9 .*8 x 8"):
        make_folder(folder_of(dict(list(files.items())[1:]), "good"), tmp_path / "out")
    made = make_folder(source, tmp_path / "out", skip_bad=True)
    assert len(made) == 1
    assert [file["name"] for file in made.manifest["skipped"]] == ["a.png", "c.png"]
    with pytest.raises(InputError, match="none of the 1 pictures"):
        make_folder(folder_of({"a.png": b"text"}, "bad"), tmp_path / "none", skip_bad=True)
    with pytest.raises(InputError, match="exists"):
        make_folder(source, tmp_path / "out", skip_bad=True)


@pytest.fixture
def most_held(monkeypatch):
    """A function that makes a dataset and returns how many images were in memory at once."""

    def make(*arguments, **options):
        count, most = itertools.count(), 0
        living = set()

        def counted(values, color, dtype):
            nonlocal most
            image = as_type(values, color, dtype).copy()
            number = next(count)
            living.add(number)
            weakref.finalize(image, living.remove, number)
            most = max(most, len(living))
            return image

        as_type = pictures.as_type
        monkeypatch.setattr("keras_gahr.datasets.folder.as_type", counted)
        made = make_folder(*arguments, **options)
        monkeypatch.undo()
        assert not living
        return made, most

    return make


@pytest.mark.parametrize("framing", [None, Framing(patch=8), Framing(patch=8, stride=1)])
def test_pictures_in_memory_are_bounded_by_bytes(
    folder_of, framing, most_held, tmp_path, monkeypatch
):
    """However many there are in a block, of whatever size."""
    source = folder_of({f"{k:02d}.png": png(numbered(16, 16)) for k in range(20)})
    folder_of({"05.png": b"no picture", "07.png": png(numbered(16, 16))[:90]})
    whole, most = most_held(source, tmp_path / "whole", framing, skip_bad=True, workers=4)
    assert most > 3
    monkeypatch.setattr(pictures, "MOST_HELD", 3 * 12 * 16 * 16)
    made, most = most_held(source, tmp_path / "out", framing, skip_bad=True, workers=4)
    assert most <= 3
    assert made.manifest == whole.manifest


def test_lists_of_files_are_let_go_of_before_the_manifest_is_read(folder_of, tmp_path, monkeypatch):
    """Each has several hundred bytes for a file."""
    lists, load = [], pictures.load

    def listed(opened):
        @contextlib.contextmanager
        def opening(*arguments, **options):
            with opened(*arguments, **options) as found:
                lists.append(weakref.ref(found))
                yield found

        return opening

    def load_alone(*arguments, **options):
        assert [found() for found in lists] == [None, None]
        return load(*arguments, **options)

    for name in ("open_source", "writing"):
        monkeypatch.setattr(pictures, name, listed(getattr(pictures, name)))
    monkeypatch.setattr(pictures, "load", load_alone)
    assert len(make_folder(folder_of({"a.png": png(numbered(8, 8))}), tmp_path / "out")) == 1


SCRIPT = """
import re, sys
from keras_gahr.datasets import Framing, make_folder
make_folder(sys.argv[1], sys.argv[2], Framing(patch=500, stride=int(sys.argv[3])), color=True)
# Not ru_maxrss, which a process inherits from the one that started it.
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize(("count", "stride"), [(16, 2000), (1, 250)])
def test_pictures_of_twelve_megapixels(folder_of, tmp_path, count, stride):
    """As float32, 2.3 GB in all; and patches that overlap, of 0.6 GB."""
    data = png(np.zeros((3000, 4000, 3), np.uint8))
    source = folder_of({f"{k}.png": data for k in range(count)})
    command = [sys.executable, "-c", SCRIPT, source, tmp_path / "out", stride]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        list(map(str, command)), check=True, capture_output=True, text=True, cwd=root
    )
    assert int(done.stdout) < 2**20, done.stdout
