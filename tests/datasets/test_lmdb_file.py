"""LMDB files, as LMDB writes them, and with damage."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_gahr.datasets import make_folder
from keras_gahr.datasets.sources import Wanted, open_source
from keras_gahr.errors import InputError

lmdb = pytest.importorskip("lmdb", reason="it is an optional extra")

pytestmark = pytest.mark.one_backend


def write(folder, values, remove=()):
    with lmdb.open(str(folder), map_size=2**26) as file:
        with file.begin(write=True) as writing:
            for key, value in values.items():
                writing.put(key, value)
        with file.begin(write=True) as writing:
            for key in remove:
                writing.delete(key)
    return folder


def all_of(path, **options):
    with open_source(path, Wanted(**options)) as source:
        return {name: source.read(name) for name in source.names}


VALUES = {b"%040x" % (k * 7919 % 1000): bytes([k % 256]) * (k * 37 % 9000) for k in range(1000)}
"""Values with pages of their own and without, in a tree of several levels."""


def test_all_that_lmdb_reads(tmp_path):
    gone = list(VALUES)[::3]
    folder = write(tmp_path / "data", VALUES, gone)
    expected = {f"data.mdb/{key.decode()}": VALUES[key] for key in sorted({*VALUES} - {*gone})}
    found = all_of(folder)
    assert found == expected
    assert [*found] == [*expected]
    assert [*all_of(folder, count=5)] == [*expected][:5]
    assert all_of(folder / "data.mdb") == expected


def test_pictures_of_lsun(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    values = {}
    for k, image in enumerate(images):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "WEBP", lossless=True)
        values[b"%040d" % k] = file.getvalue()
    write(tmp_path / "bedroom_train_lmdb", values)
    made = make_folder(tmp_path / "bedroom_train_lmdb", tmp_path / "out", color=True, dtype="uint8")
    np.testing.assert_array_equal(made.images, images)
    assert [file["name"] for file in made.manifest["skipped"]] == ["lock.mdb"]
    with pytest.raises(InputError, match="no column 'x'"):
        make_folder(tmp_path / "bedroom_train_lmdb", tmp_path / "no", column="x")


def test_no_and_several_values(tmp_path):
    write(tmp_path / "empty", {})
    with pytest.raises(InputError, match="without keys"):
        all_of(tmp_path / "empty")
    with lmdb.open(str(tmp_path / "tables"), max_dbs=2) as file:
        file.open_db(b"table")
    with pytest.raises(InputError, match="several values for a key, or several tables"):
        all_of(tmp_path / "tables")


def test_damage(tmp_path):
    """Whatever is damaged: read, or refused in one line, and never waited for."""
    few = dict(list(VALUES.items())[:150])
    data = (write(tmp_path / "data", few) / "data.mdb").read_bytes()
    path = tmp_path / "data.mdb"
    with pytest.raises(InputError, match="was cut off"):
        path.write_bytes(data[:-5000])
        all_of(path)
    random = np.random.default_rng(0)
    headers = np.arange(len(data)).reshape(-1, 4096)[:, :64].ravel()
    for _ in range(60):
        damaged = bytearray(data)
        for place in random.choice(headers, 4):
            damaged[place] = random.integers(256)
        for place in random.integers(16, 4096 + 200, 1):
            damaged[place] ^= 1 << random.integers(8)
        path.write_bytes(damaged)
        try:
            all_of(path)
        except InputError as error:
            assert "\n" not in str(error)
