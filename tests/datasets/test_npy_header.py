"""Arrays in files whose headers do not describe them, or do so in an unusual way."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from keras_gahr.datasets import load
from keras_gahr.errors import InputError


def npy(descr, shape, data=b"", version=1):
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".encode() + b"\n"
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (npy("|u1", (2**40, 2**40, 3, 1)), "header says shape .* but 0 follow"),
        (npy("|u1", (2**32, 2**32, 1), bytes(10)), "header says"),  # 0 in 64 bits.
        (npy("|u1", (10**30, 1, 1)), "header says"),
        (npy("<f4", (10**6, 10**4, 10**4)), "header says"),
        (npy("|u1", (-2, -8, 1), bytes(16)), "header says"),
        (npy("|u1", (-1, 4, 4), bytes(100)), "header says"),
        (npy("|u1", (2, 2, 2), bytes(7)), "but 7 follow"),
        (npy("|u1", (2, 2, 2), bytes(16)), "but 16 follow; .*one array in each file"),
        (npy("|u1", (True, 4, 4), bytes(16)), "cannot be read"),
        (npy("|u1", "(2, 2, 'x')", bytes(8)), "cannot be read"),
        (npy("|u1", "(" * 5000), "cannot be read"),
        (npy("|u1", "(" * 50_000), "its header has 500.. bytes"),
        (npy("|u1", (1,) * 70, b"1"), "cannot be read"),
        (npy("|O", (2, 2, 2), bytes(64)), "Python objects"),
        (npy([("a", "<f4")], (2, 2, 2), bytes(32)), "has type"),
        (npy([("\N{SNOWMAN}", "<f4")], (2, 2, 2), bytes(32), 3), "has type"),
        (npy("<U5", (2, 2, 2), bytes(160)), "has type"),
        (npy("<c8", (2, 2, 2), bytes(64)), "has type complex64"),
        (npy("|V0", (2, 2, 2)), "has type"),
        (npy(3, (2, 2, 2)), "cannot be read"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{'descr'", "its header has 2147483647 bytes"),
        (b"\x93NUMPY\x03\x00\xff\xff\xff\x7f{'descr'", "its header has 2147483647 bytes"),
        (b"\x93NUMPY\x09\x00" + bytes(100), "cannot be read"),
        (b"\x93NUMPY\x01", "cannot be read"),
    ],
)
def test_headers_that_describe_something_else(tmp_path, data, message):
    (tmp_path / "a.npy").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", data)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(InputError, match=message) as caught:
            load(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["|u1", "<f4", ">f4", ">f8", ">f2"])
def test_any_order_of_axes_and_bytes_gives_the_same_values(tmp_path, dtype):
    values = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 1), np.uint8)
    array = values.astype(dtype) if dtype == "|u1" else (values / 255).astype(dtype)
    expected = values / np.float32(255) if dtype == "|u1" else array.astype(np.float32)
    for ordered in (array, np.asfortranarray(array), array[::-1][::-1]):
        np.save(tmp_path / "a.npy", ordered)
        np.savez(tmp_path / "a.npz", ordered)
        np.savez_compressed(tmp_path / "b.npz", ordered)
        for name in ("a.npy", "a.npz", "b.npz"):
            np.testing.assert_array_equal(load(tmp_path / name).as_float(), expected)


def test_nothing_is_inflated_without_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.entries.ALWAYS", 2**20)
    file = io.BytesIO()
    np.save(file, np.zeros((2**19, 8, 8), np.uint8))
    for data in (file.getvalue(), b"\x93NUMPY\x02\x00\xff\xff\xff\x01" + b" " * 2**25):
        with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.npy", data)
        del data
        tracemalloc.start()
        with pytest.raises(InputError, match="as no images are"):
            load(tmp_path / "a.npz")
        assert tracemalloc.get_traced_memory()[1] < 2**20
        tracemalloc.stop()
