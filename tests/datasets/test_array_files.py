"""Datasets from arrays and from the IDX files of MNIST."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from keras_gahr.datasets import load
from keras_gahr.datasets.array_files import make_array, make_mnist
from keras_gahr.errors import InputError


def idx(images):
    return struct.pack(">4I", 0x803, *images.shape) + images.tobytes()


@pytest.fixture
def digits():
    return np.random.default_rng(0).integers(0, 256, (9, 6, 5), np.uint8)


def test_mnist_plain_and_packed(digits, tmp_path):
    (tmp_path / "a-idx3-ubyte").write_bytes(idx(digits[:4]))
    (tmp_path / "b-idx3-ubyte.gz").write_bytes(gzip.compress(idx(digits[4:])))
    made = make_mnist([tmp_path / "a-idx3-ubyte", tmp_path / "b-idx3-ubyte.gz"], tmp_path / "out")
    np.testing.assert_array_equal(made.images[..., 0], digits)
    first, second = made.manifest["parameters"]["files"]
    assert first["name"] == "a-idx3-ubyte"
    assert first["sha256"] == hashlib.sha256(idx(digits[:4])).hexdigest()
    assert second["images"] == 5


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (struct.pack(">2I", 0x801, 3) + b"123", "labels"),
        (b"", "not an IDX file"),
        (b"PNG, or so", "not an IDX file"),
        (struct.pack(">2I", 0x803, 3), "damaged"),
        (struct.pack(">4I", 0x803, 2, 3, 3) + bytes(17), "holds less"),
        (struct.pack(">4I", 0x803, 2, 3, 3) + bytes(19), "holds more"),
        (struct.pack(">4I", 0x803, 0, 3, 3), "should hold 0 images"),
        (struct.pack(">4I", 0x803, *(3 * [2**32 - 1])) + bytes(9), "holds less"),
        (gzip.compress(struct.pack(">4I", 0x803, 2, 3, 3) + bytes(18), mtime=0)[:-9], "damaged"),
        (b"\x1f\x8bnot gzip", "damaged"),
    ],
)
def test_files_that_are_not_mnist(data, message, tmp_path):
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        make_mnist([tmp_path / "file"], tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_mnist_of_two_sizes_or_missing(digits, tmp_path):
    (tmp_path / "a").write_bytes(idx(digits))
    (tmp_path / "b").write_bytes(idx(digits[:, :4]))
    with pytest.raises(InputError, match="one size"):
        make_mnist([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    with pytest.raises(InputError, match="not a file"):
        make_mnist([tmp_path / "c"], tmp_path / "out")


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_arrays_become_datasets(digits, dtype, tmp_path):
    images = digits if dtype == "uint8" else (digits / 255).astype(dtype)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(9))
    made = make_array(tmp_path / "a.npz", tmp_path / "out")
    assert made.images.dtype == ("uint8" if dtype == "uint8" else "float32")
    np.testing.assert_allclose(made.as_float()[..., 0], digits / 255, atol=1e-7)
    assert made.manifest["recipe"] == "array"
    assert load(tmp_path / "out", verify=True).images.shape == (9, 6, 5, 1)


def test_patches_of_arrays(digits, tmp_path):
    np.save(tmp_path / "a.npy", digits)
    made = make_array(tmp_path / "a.npy", tmp_path / "out", patch=3, stride=2)
    assert made.images.shape == (9 * 2 * 2, 3, 3, 1)
    np.testing.assert_array_equal(made.images[5, ..., 0], digits[1, :3, 2:])
    assert made.manifest["parameters"]["stride"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch": 6}, "smaller than a patch"),
        ({"patch": 0}, "patch is 0"),
        ({"stride": 2}, "without a patch"),
    ],
)
def test_patches_that_do_not_fit(digits, options, message, tmp_path):
    np.save(tmp_path / "a.npy", digits)
    with pytest.raises(InputError, match=message):
        make_array(tmp_path / "a.npy", tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_dataset_is_no_array(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        make_array(tmp_path, tmp_path / "out")


def test_packed_idx_files_that_grow_as_no_images_do(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.entries.ALWAYS", 2**20)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (2**15, 32, 32))
    path.write_bytes(gzip.compress(header + bytes(2**25)))
    with pytest.raises(InputError, match="more than its own"):
        make_mnist([path], tmp_path / "out")
