"""Archives, arrays and manifests with damage at random: read as they were, or refused in one line."""

import bz2
import gzip
import io
import json
import lzma
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from archives import tar_of, zip_of
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_gahr.datasets import load
from keras_gahr.datasets.sources import open_source
from keras_gahr.datasets.writer import writing
from keras_gahr.errors import InputError

FILES = {f"{k}.png": bytes(range(k, k + 100)) * (k + 1) for k in range(5)}
FILES |= {"in/link.png": "../2.png", "notes.txt": b"text", ".hidden.png": b"", "folder": None}
PICTURES = {name: data for name, data in FILES.items() if name[0].isdigit()}
PICTURES["in/link.png"] = FILES["2.png"]

TAR = tar_of(FILES)
ARCHIVES = {
    "tar": TAR,
    "gz": gzip.compress(TAR, mtime=0),
    "bz2": bz2.compress(TAR),
    "xz": lzma.compress(TAR),
    "zip": zip_of(FILES),
    "stored": zip_of(FILES, zipfile.ZIP_STORED),
    "lzma": zip_of(FILES, zipfile.ZIP_LZMA),
}

# Of all that a reader holds: the files themselves have 10 kB.
MEMORY = 2**26

NUMBERS = st.sampled_from([b"\xff" * 4, b"\0" * 8, b"7" * 11, b"\x80" + b"\xff" * 11, b"PK\1\2"])


@st.composite
def damaged(draw, data):
    """The data with some bytes replaced, taken out, put in or cut off."""
    data = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at, part = draw(st.integers(0, len(data))), draw(st.one_of(st.binary(max_size=8), NUMBERS))
        kind = draw(st.sampled_from(["replace", "insert", "remove", "cut", "double"]))
        if kind == "replace":
            data[at : at + len(part)] = part
        elif kind == "insert":
            data[at:at] = part
        elif kind == "remove":
            del data[at : at + draw(st.integers(1, 1024))]
        elif kind == "cut":
            del data[at:]
        else:
            data += data[at:]
    return bytes(data)


def read_all(path):
    with open_source(path) as source:
        return {name: source.read(name) for name in source.names}


def bounded(function, *arguments, memory=MEMORY):
    """The result, or None where it is refused; in one line, and in little memory."""
    tracemalloc.start()
    try:
        return function(*arguments)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
        return None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < memory, peak


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ARCHIVES)
def test_damaged_archives(kind, folder):
    path = folder / "archive"
    path.write_bytes(ARCHIVES[kind])
    assert read_all(path) == PICTURES

    @settings(max_examples=200, deadline=None, derandomize=True, database=None)
    @given(damaged(ARCHIVES[kind]))
    def check(data):
        path.write_bytes(data)
        # Room for a dictionary of lzma is reserved as declared, and touched as far as it is used.
        read = bounded(read_all, path, memory=2**33 if kind == "lzma" else MEMORY)
        # No picture is lost in silence. Tars have no checksum of what is in a file, and names may
        # be damaged so that they say something else.
        if read is not None:
            assert len(read) + 2 >= len(PICTURES)
            if kind not in {"tar", "gz", "bz2", "xz"}:
                assert {*read.values()} <= {*PICTURES.values(), b""}

    check()


@pytest.mark.slow
def test_damaged_arrays(folder):
    array = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    plain, packed = io.BytesIO(), io.BytesIO()
    np.save(plain, array)
    np.savez_compressed(packed, array)

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(damaged(plain.getvalue()), damaged(packed.getvalue()))
    @pytest.mark.filterwarnings("error")
    def check(one, two):
        for name, data in (("a.npy", one), ("a.npz", two)):
            (folder / name).write_bytes(data)
            bounded(lambda name=name: load(folder / name).as_float())

    check()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=5), part, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.slow
def test_strange_manifests(folder):
    with writing(folder / "data", "test", {"seed": 1}, (4, 5, 1), "uint8") as writer:
        writer.append(np.zeros((2, 4, 5, 1), np.uint8), [{"name": "a", "sha256": None}] * 2)
    manifest = folder / "data" / "manifest.json"
    whole = json.loads(manifest.read_text())
    names = st.sampled_from([*whole, "value_range"])

    def show():
        dataset = load(folder / "data")
        assert isinstance(dataset.describe_source("x")["recipe"], str)
        assert all(isinstance(file["name"], str) for file in dataset.sources)
        assert len(dataset.value_range) == 2

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(st.dictionaries(names, JSON, min_size=1), st.lists(names, max_size=2))
    def check_entries(changes, lost):
        changed = {key: value for key, value in (whole | changes).items() if key not in lost}
        manifest.write_text(json.dumps(changed))
        bounded(show)

    @settings(max_examples=200, deadline=None, derandomize=True, database=None)
    @given(damaged(json.dumps(whole).encode()))
    def check_bytes(data):
        manifest.write_bytes(data)
        bounded(show)

    check_entries()
    check_bytes()
