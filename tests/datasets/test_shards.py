"""Data sets in several files: folders and lists of archives, as WebDataset and others write them."""

import numpy as np
import pytest
from archives import tar_of, zip_of
from encoded_pictures import png

from keras_gahr.datasets import make_faces, make_folder, sources
from keras_gahr.errors import InputError

pytestmark = pytest.mark.one_backend

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 8, 8), np.uint8)


def samples(start, stop):
    """As in a tar of WebDataset: each has a key, the picture, and what belongs to it."""
    files = {}
    for k in range(start, stop):
        files |= {f"{k:05}.png": png(IMAGES[k]), f"{k:05}.cls": b"%d" % (k % 3)}
    return files


@pytest.fixture
def shards(tmp_path):
    """A folder of shards, which do not lie on the disk in the order of their names."""
    folder = tmp_path / "shards"
    (folder / "val").mkdir(parents=True)
    (folder / "train-000001.tar").write_bytes(tar_of(samples(4, 7)))
    (folder / "val" / "val-000000.tar.gz").write_bytes(tar_of(samples(7, 9), "w:gz"))
    (folder / "train-000000.tar").write_bytes(tar_of(samples(0, 4)))
    (folder / "dataset.json").write_text("{}")
    return folder


def test_a_folder_of_shards(shards, tmp_path):
    made = make_folder(shards, tmp_path / "out", dtype="uint8")
    np.testing.assert_array_equal(made.images[..., 0], IMAGES)
    names = [file["name"] for file in made.sources]
    assert names[:5] == [
        *(f"train-000000.tar/{k:05}.png" for k in range(4)),
        "train-000001.tar/00004.png",
    ]
    assert names[-1] == "val/val-000000.tar.gz/00008.png"
    skipped = [file["name"] for file in made.manifest["skipped"]]
    assert skipped[:2] == ["dataset.json", "train-000000.tar/00000.cls"]


def test_a_list_of_shards_in_its_order(shards, tmp_path):
    paths = [shards / "train-000001.tar", shards / "train-000000.tar"]
    made = make_folder(paths, tmp_path / "out", dtype="uint8", count=5)
    np.testing.assert_array_equal(made.images[..., 0], IMAGES[[4, 5, 6, 0, 1]])
    assert made.manifest["parameters"]["source"] == ["train-000001.tar", "train-000000.tar"]
    with pytest.raises(InputError, match="have one name"):
        make_folder([shards, shards], tmp_path / "no")
    with pytest.raises(InputError, match="no source"):
        make_folder([], tmp_path / "no")


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("train*", range(7)),
        ("*00001.tar/*", [4, 5, 6]),
        ("0000[18].png", [1, 8]),
        ("val/*", [7, 8]),
    ],
)
def test_only_some(shards, tmp_path, only, expected):
    made = make_folder(shards, tmp_path / "out", dtype="uint8", only=only)
    np.testing.assert_array_equal(made.images[..., 0], IMAGES[list(expected)])


def test_one_shard_is_open_at_a_time(shards, tmp_path, monkeypatch):
    now, most, read_archive = set(), 0, sources._read_archive

    def counted(path, stack):
        nonlocal most
        now.add(path)
        stack.callback(now.discard, path)
        most = max(most, len(now))
        return read_archive(path, stack)

    monkeypatch.setattr(sources, "_read_archive", counted)
    make_folder(shards, tmp_path / "out")
    assert most == 1 and not now


def test_where_there_are_pictures_no_archive_is_opened(shards, tmp_path):
    (shards / "one.png").write_bytes(png(IMAGES[0]))
    made = make_folder(shards, tmp_path / "out")
    assert len(made) == 1 and len(made.manifest["skipped"]) == 4


def test_archives_of_several_sets(tmp_path, half_files, folder_of):
    (tmp_path / "a.zip").write_bytes(zip_of(half_files))
    folder = folder_of(half_files, "b")
    made = make_faces([tmp_path / "a.zip", folder], tmp_path / "out", 20)
    half = len(half_files)
    np.testing.assert_array_equal(made.images[:half], made.images[half:])
    assert made.sources[half]["name"].startswith("b/")


def test_shards_that_cannot_be_used(shards, tmp_path):
    def refusal(**options):
        with pytest.raises(InputError) as caught:
            make_folder(shards, tmp_path / "out", **options)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "the count is 0" in refusal(count=0)
    (shards / "train-000000.tar").write_bytes(b"text")
    assert "train-000000.tar is a text" in refusal()
    (shards / "train-000000.tar").write_bytes(tar_of({"0.cls": b"1"}))
    assert "train-000000.tar has no .jpg" in refusal()
