"""Pictures in Parquet and Arrow files, as PyArrow and the Hugging Face Hub have them."""

import sys

import numpy as np
import pytest
from encoded_pictures import png

from keras_gahr.datasets import make_folder
from keras_gahr.errors import InputError

pa = pytest.importorskip("pyarrow", reason="it is an optional extra")
pq = pytest.importorskip("pyarrow.parquet", reason="it is an optional extra")

pytestmark = pytest.mark.one_backend

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), np.uint8)


PICTURES = [png(image) for image in IMAGES]
HUB = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def hub_table(part=slice(None), name="image"):
    """A table as the data sets of the Hub have it."""
    pictures = [{"bytes": data, "path": f"{k}.png"} for k, data in enumerate(PICTURES[part])]
    return pa.table({name: pa.array(pictures, HUB), "label": list(range(len(pictures)))})


def write_stream(table, path):
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)


def write_file(table, path, **options):
    options = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_file(str(path), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=3)


WRITERS = {
    "groups.parquet": lambda table, path: pq.write_table(table, path, row_group_size=4),
    "zstd.parquet": lambda table, path: pq.write_table(table, path, compression="zstd"),
    "stream.arrow": write_stream,
    "file.arrow": write_file,
    "lz4.arrow": lambda table, path: write_file(table, path, compression="lz4"),
    "zstd.arrow": lambda table, path: write_file(table, path, compression="zstd"),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kind", ["hub", "binary", "large", "view"])
def test_forms(name, kind, tmp_path):
    types = {"binary": pa.binary(), "large": pa.large_binary(), "view": pa.binary_view()}
    table = hub_table() if kind == "hub" else pa.table({"x": pa.array(PICTURES, types[kind])})
    WRITERS[name](table, tmp_path / name)
    made = make_folder(tmp_path / name, tmp_path / "out", color=True, dtype="uint8")
    np.testing.assert_array_equal(made.images, IMAGES)
    assert [file["name"] for file in made.sources[::9]] == [f"{name}/0000000", f"{name}/0000009"]


def test_a_clone_of_the_hub(tmp_path):
    data = tmp_path / "clone" / "data"
    data.mkdir(parents=True)
    (tmp_path / "clone" / "README.md").write_text("---")
    pq.write_table(hub_table(slice(6, 8)), data / "train-00001-of-00002.parquet")
    pq.write_table(hub_table(slice(6)), data / "train-00000-of-00002.parquet")
    pq.write_table(hub_table(slice(8, 10)), data / "test-00000-of-00001.parquet")
    made = make_folder(
        tmp_path / "clone", tmp_path / "out", color=True, dtype="uint8", only="train-*"
    )
    np.testing.assert_array_equal(made.images, IMAGES[:8])
    assert made.sources[6]["name"] == "data/train-00001-of-00002.parquet/0000000"
    few = make_folder(tmp_path / "clone", tmp_path / "few", color=True, count=3)
    np.testing.assert_allclose(few.images, IMAGES[[8, 9, 0]] / 255, atol=1e-6)


def test_columns(tmp_path):
    masks = pa.array([{"bytes": data, "path": ""} for data in PICTURES[::-1]], HUB)
    pq.write_table(hub_table().append_column("mask", masks), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"2 columns that may .*\(image, mask\).*--column"):
        make_folder(tmp_path / "a.parquet", tmp_path / "out")
    with pytest.raises(InputError, match=r"no column 'label' .*image, mask"):
        make_folder(tmp_path / "a.parquet", tmp_path / "out", column="label")
    made = make_folder(
        tmp_path / "a.parquet", tmp_path / "out", column="mask", color=True, dtype="uint8"
    )
    np.testing.assert_array_equal(made.images, IMAGES[::-1])
    pq.write_table(pa.table({"x": [1]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"0 columns that may hold pictures \(none\)"):
        make_folder(tmp_path / "b.parquet", tmp_path / "no")


@pytest.mark.parametrize("write", [pq.write_table, write_stream])
def test_rows_without_a_picture(tmp_path, write):
    rows = [{"bytes": PICTURES[0], "path": None}, None, {"bytes": None, "path": "/etc/passwd"}]
    write(pa.table({"image": pa.array(rows, HUB)}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"row 0000001 of .* holds no picture"):
        make_folder(tmp_path / "a.parquet", tmp_path / "out")
    made = make_folder(tmp_path / "a.parquet", tmp_path / "out", skip_bad=True)
    assert len(made) == 1 and len(made.manifest["skipped"]) == 2


def test_a_killed_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.pictures.BLOCK", 3)
    WRITERS["groups.parquet"](hub_table(), tmp_path / "a.parquet")

    def stop(done, total):
        if done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_folder(tmp_path / "a.parquet", tmp_path / "out", color=True, progress=stop)
    made = make_folder(tmp_path / "a.parquet", tmp_path / "out", color=True)
    np.testing.assert_array_equal(np.rint(made.images * 255), IMAGES)


@pytest.mark.parametrize("name", ["zeros.parquet", "zeros.arrow"])
def test_what_would_be_inflated_as_no_pictures(tmp_path, name):
    table = pa.table({"image": pa.array([bytes(2**26 + 1)])})
    if name == "zeros.parquet":
        pq.write_table(table, tmp_path / name, compression="zstd", use_dictionary=False)
    else:
        write_file(table, tmp_path / name, compression="zstd")
    with pytest.raises(InputError, match=r"would be inflated from .* as no pictures"):
        make_folder(tmp_path / name, tmp_path / "out")


def test_a_value_that_is_repeated_is_in_memory_once(tmp_path):
    value = pa.array([np.random.default_rng(0).bytes(2**22)])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 500), value)
    pq.write_table(pa.table({"image": column}), tmp_path / "a.parquet", store_schema=False)
    assert (tmp_path / "a.parquet").stat().st_size < 2**23
    with pytest.raises(InputError, match="is not an image"):
        make_folder(tmp_path / "a.parquet", tmp_path / "out")
    assert pa.default_memory_pool().max_memory() < 2**30


@pytest.mark.parametrize("name", WRITERS)
def test_damage(name, tmp_path):
    """Whatever is damaged: read as it was, or refused in one line."""
    WRITERS[name](hub_table(), tmp_path / name)
    data = (tmp_path / name).read_bytes()
    random = np.random.default_rng(0)
    for case in range(30):
        damaged = bytearray(data)
        if case % 3:
            for place in random.integers(4, len(data), 1 + case // 3):
                damaged[place] ^= 1 << random.integers(8)
        else:
            del damaged[random.integers(8, len(data)) :]
        (tmp_path / name).write_bytes(damaged)
        try:
            make_folder(tmp_path / name, tmp_path / f"out{case}", color=True, skip_bad=True)
        except InputError as error:
            assert "\n" not in str(error)


def test_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"install PyArrow, pip install 'keras-gahr\[arrow\]'"):
        make_folder(tmp_path / "a.parquet", tmp_path / "out")
