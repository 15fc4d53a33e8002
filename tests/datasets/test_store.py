import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_gahr.datasets import Dataset, load, writing
from keras_gahr.errors import InputError


def numbered(count):
    return Dataset(np.arange(count, dtype=np.float32).reshape(-1, 1, 1, 1), {})


def write(out, images, **options):
    with writing(
        out, "test", {"seed": 1}, images.shape[1:], images.dtype.name, **options
    ) as writer:
        for image in images:
            writer.append(image[None])


@pytest.fixture
def images():
    return np.random.default_rng(0).random((7, 4, 5, 3), np.float32)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_round_trip(tmp_path, images, dtype):
    images = np.rint(255 * images).astype(np.uint8) if dtype == "uint8" else images
    write(tmp_path / "data", images)
    dataset = load(tmp_path / "data", verify=True)
    assert isinstance(dataset.images, np.memmap)
    np.testing.assert_array_equal(dataset.images, images)
    np.testing.assert_array_equal(np.load(tmp_path / "data" / "images.npy"), images)
    expected = images / np.float32(255) if dtype == "uint8" else images
    for index in (2, slice(1, 4), [5, 0]):
        values = dataset.as_float(index)
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, expected[index])
    assert dataset.manifest["recipe"] == "test"
    assert dataset.manifest["parameters"] == {"seed": 1}
    assert len(dataset) == 7


def test_the_header_holds_any_count(tmp_path):
    images = np.zeros((12345, 1, 1, 1), np.uint8)
    with writing(tmp_path / "data", "test", {}, (1, 1, 1), "uint8") as writer:
        writer.append(images)
    assert load(tmp_path / "data").images.shape == images.shape


def test_a_failure_leaves_nothing_and_the_older_dataset(tmp_path, images):
    write(tmp_path / "data", images)
    with (
        pytest.raises(RuntimeError),
        writing(tmp_path / "data", "test", {}, (4, 5, 3), "float32", overwrite=True) as writer,
    ):
        writer.append(images[:2])
        raise RuntimeError
    assert len(load(tmp_path / "data")) == 7
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_only_datasets_are_replaced(tmp_path, images):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("text")
    with pytest.raises(InputError, match=r"no manifest\.json"):
        write(tmp_path / "precious", images, overwrite=True)
    assert (tmp_path / "precious" / "thesis.txt").exists()
    write(tmp_path / "data", images)
    write(tmp_path / "data", images[:3], overwrite=True)
    assert len(load(tmp_path / "data")) == 3


def test_no_images_and_wrong_images(tmp_path, images):
    with pytest.raises(InputError, match="no images"):
        write(tmp_path / "none", images[:0])
    with pytest.raises(InputError, match="float16"):
        write(tmp_path / "half", images.astype(np.float16))
    with (
        pytest.raises(ValueError, match="shape"),
        writing(tmp_path / "other", "test", {}, (4, 4, 3), "float32") as writer,
    ):
        writer.append(images)
    assert not list(tmp_path.iterdir())


def change(manifest, **entries):
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | entries))


def test_manifest_and_array_must_fit(tmp_path, images):
    folder = tmp_path / "data"
    write(folder, images)
    text = (folder / "manifest.json").read_text()
    for entries, message in [
        ({"shape": [6, 4, 5, 3]}, "shape"),
        ({"dtype": "uint8"}, "uint8"),
        ({"format": 99}, "format 99"),
        ({"sha256": "0" * 64}, "SHA-256"),
    ]:
        change(folder / "manifest.json", **entries)
        with pytest.raises(InputError, match=message):
            load(folder)
        (folder / "manifest.json").write_text(text)
    for damaged in ("", "[]", "{}", '{"format": 1'):
        (folder / "manifest.json").write_text(damaged)
        with pytest.raises(InputError, match=r"damaged|is empty|is not JSON"):
            load(folder)


def test_a_changed_pixel_is_found_when_verified(tmp_path, images):
    write(tmp_path / "data", images)
    array = np.load(tmp_path / "data" / "images.npy", mmap_mode="r+")
    array[3, 0, 0, 0] = 0.5
    array.flush()
    with pytest.raises(InputError, match="SHA-256"):
        load(tmp_path / "data")
    assert len(load(tmp_path / "data", verify=False)) == 7


def test_truncated_array(tmp_path, images):
    write(tmp_path / "data", images)
    path = tmp_path / "data" / "images.npy"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"images\.npy cannot be read"):
        load(tmp_path / "data")


def test_missing_and_foreign_paths(tmp_path):
    (tmp_path / "notes.txt").write_text("text")
    (tmp_path / "broken.npy").write_bytes(b"text")
    (tmp_path / "broken.npz").write_bytes(b"text")
    (tmp_path / "header.npy").write_bytes(b"\x93NUMPY\x01\x00\x0b\x00{'descr': (")
    for name, message in {
        "missing": "does not exist",
        "": r"no manifest\.json",
        "notes.txt": "expected a .npy or .npz",
        "broken.npy": "is a text .*, not an array",
        "broken.npz": "is a text .*, not an array",
        "header.npy": "cannot be read",
    }.items():
        with pytest.raises(InputError, match=message):
            load(tmp_path / name)


def test_arrays_of_three_and_four_axes(tmp_path, images):
    np.save(tmp_path / "grey.npy", images[..., 0])
    np.save(tmp_path / "color.npy", images)
    np.savez(tmp_path / "one.npz", faces=images)
    np.savez_compressed(tmp_path / "several.npz", images=images, ids=np.arange(7))
    assert load(tmp_path / "grey.npy").images.shape == (7, 4, 5, 1)
    for name in ("color.npy", "one.npz", "several.npz"):
        np.testing.assert_array_equal(load(tmp_path / name).as_float(), images)
    assert isinstance(load(tmp_path / "color.npy").images, np.memmap)


def test_rounding_beyond_the_range_is_clipped(tmp_path, images):
    images[0, 0, 0, 0], images[1, 0, 0, 0] = -5e-7, 1 + 5e-7
    np.save(tmp_path / "array.npy", images)
    values = load(tmp_path / "array.npy").as_float()
    assert values.min() == 0
    assert values.max() == 1


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((2, 3, 3), np.nan, np.float32), "NaN"),
        (np.full((2, 3, 3), 200.0, np.float32), r"from 200 to 200: expected \[0, 1\]"),
        (np.full((2, 3, 3), -0.1), "from -0.1"),
        (np.full((2, 3, 3), np.inf), "inf"),
        (np.zeros((0, 3, 3), np.uint8), "empty"),
        (np.zeros((2, 3, 3), np.int64), "int64"),
        (np.zeros((2, 3, 3), object), "cannot be read"),
        (np.zeros(3, np.uint8), "shape"),
        (np.zeros((2, 8, 8, 5), np.uint8), "C = 1 or 3"),
        (np.zeros((2, 1, 8, 8), np.uint8), "layout NCHW"),
    ],
)
def test_arrays_that_are_not_images(tmp_path, array, message):
    np.save(tmp_path / "array.npy", array)
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path / "array.npy")
    assert "\n" not in str(caught.value)


def test_every_block_is_checked(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.arrays.BLOCK_BYTES", 200)
    array = np.zeros((9, 4, 4), np.float32)
    array[8, 3, 3] = np.nan
    np.save(tmp_path / "array.npy", array)
    with pytest.raises(InputError, match="NaN"):
        load(tmp_path / "array.npy")


def test_ambiguous_npz(tmp_path):
    np.savez(tmp_path / "two.npz", train=np.zeros((1, 2, 2)), test=np.zeros((1, 2, 2)))
    with pytest.raises(InputError, match="train, test"):
        load(tmp_path / "two.npz")


@given(st.data())
def test_split_is_disjoint_and_from_opposite_ends(data):
    count = data.draw(st.integers(2, 50))
    train = data.draw(st.integers(1, count - 1))
    test = data.draw(st.integers(1, count - train))
    half = data.draw(st.sampled_from("AB"))
    parts = numbered(count).split(train, test, half)
    trained, tested = ([int(value) for value in part.images.ravel()] for part in parts)
    everything = list(range(count))
    if half == "A":
        assert (trained, tested) == (everything[:train], everything[count - test :])
    else:
        assert (trained, tested) == (everything[count - train :], everything[:test])
    assert not set(trained) & set(tested)


@given(st.integers(2, 50), st.data())
def test_halves_are_disjoint(count, data):
    n = data.draw(st.integers(1, count // 2))
    a, b = (numbered(count).subset(n, half).images.ravel() for half in "AB")
    assert len(a) == len(b) == n
    assert a[-1] < b[0]
    assert b[-1] == count - 1


def test_parts_that_cannot_be_had():
    dataset = numbered(9)
    assert len(dataset.subset(9)) == 9
    for arguments in [(5, "A"), (5, "B"), (10,), (0,), (3, "C")]:
        with pytest.raises(InputError, match="expected"):
            dataset.subset(*arguments)
    for arguments in [(5, 5), (0, 1), (1, 0), (-1, 3), (2, 2, None)]:
        with pytest.raises(InputError, match="expected"):
            dataset.split(*arguments)


def test_what_is_shown_of_a_dataset_is_one_line():
    """However many images there are, and however many files they were made from."""
    images = np.zeros((500, 8, 6, 3), np.uint8)
    manifest = {"recipe": "folder", "sources": [{"name": f"{i}.png"} for i in range(500)]}
    assert repr(Dataset(images, manifest)) == "Dataset(500 images of 8x6x3, uint8, 'folder')"
    assert repr(Dataset(images, {})) == "Dataset(500 images of 8x6x3, uint8)"
