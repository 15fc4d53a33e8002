"""Manifests that are not what this package writes: one line in every command that loads a dataset."""

import json
import os

import numpy as np
import pytest
from systems import needs_pipes

from keras_gahr.datasets import load, manifest
from keras_gahr.datasets.manifest import read_manifest
from keras_gahr.datasets.store import is_dataset
from keras_gahr.datasets.writer import writing
from keras_gahr.errors import InputError


@pytest.fixture
def dataset(tmp_path):
    with writing(tmp_path / "data", "test", {}, (4, 5, 1), "uint8") as writer:
        writer.append(np.zeros((2, 4, 5, 1), np.uint8), [{"name": "a", "sha256": "0" * 64}] * 2)
    return tmp_path / "data"


@pytest.fixture
def refuse(dataset):
    """A function that checks that a manifest of this text is refused in one line, and returns it."""

    def check(text, message):
        (dataset / "manifest.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(InputError, match=message) as caught:
            load(dataset)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400
        return str(caught.value)

    return check


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("[]", "holds a list"),
        ("null", "holds a NoneType"),
        ("3", "holds a int"),
        ("[" * 100_000, "nested too deep"),
        ('{"a":' * 300 + "1" + "}" * 300, "nested too deep"),
        ('{"a": NaN}', "NaN"),
        ('{"a": ' + "9" * 10_000 + "}", "make the dataset again"),
        ('{"a": 1, "a": 2}', "twice"),
        (b'{"a": "\xff"}', "UTF-8"),
        ("{", "make the dataset again"),
        ("version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ("<!DOCTYPE html><html>", "HTML"),
    ],
)
def test_texts_that_are_no_manifest(text, message, refuse):
    refuse(text, message)


WRONG = [None, True, 1.5, -1, 2**70, "text", "1", [], [1], {}, {"a": 1}, [[[]]], [1, 2, 3, "4"]]


@pytest.mark.parametrize(
    "name", ["format", "recipe", "parameters", "shape", "dtype", "sha256", "sources", "skipped"]
)
def test_each_entry_has_its_type(name, dataset, refuse):
    whole = read_manifest(dataset / "manifest.json")
    missing = {key: value for key, value in whole.items() if key != name}
    if name not in {"sources", "skipped"}:
        refuse(json.dumps(missing), f"{name} is missing")
    right = {
        "recipe": {"text", "1"},
        "parameters": {"{}", "{'a': 1}"},
        "sources": {"[]"},
        "skipped": {"[]"},
    }.get(name, set())
    for value in WRONG:
        if str(value) not in right:
            refuse(json.dumps(whole | {name: value}), f"{name} is|format|another")
    (dataset / "manifest.json").write_text(json.dumps(whole))
    assert load(dataset).manifest == whole


@pytest.mark.parametrize(
    "shape",
    [[2, 4, 5, 0], [2, 4, 5, -1], [2, 4, 5, 1.0], [True, 4, 5, 1], [2**64, 1, 1, 1], [2, 20]],
)
def test_shapes_that_are_none(shape, dataset, refuse):
    whole = read_manifest(dataset / "manifest.json")
    refuse(json.dumps(whole | {"shape": shape}), "shape is .*expected four numbers")


def test_files_are_named(dataset, refuse):
    whole = read_manifest(dataset / "manifest.json")
    for entry in ({}, {"name": 3}, {"name": "a", "reason": 1}, {"name": "a", "sha256": []}, "a"):
        for name in ("sources", "skipped"):
            refuse(json.dumps(whole | {name: [entry]}), f"{name} is expected to be a list of files")


def test_large_ones_are_not_read(dataset, monkeypatch):
    monkeypatch.setattr(manifest, "LARGEST_MANIFEST", 2**20)
    with (dataset / "manifest.json").open("ab") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match="more than 1 MiB"):
        load(dataset)


@needs_pipes
def test_pipes_are_not_opened(dataset):
    for name in ("images.npy", "manifest.json"):
        (dataset / name).unlink()
        os.mkfifo(dataset / name)
        with pytest.raises(InputError, match=r"is not a|is a pipe|has no"):
            load(dataset)
    assert not is_dataset(dataset)
    with pytest.raises(InputError, match="is a pipe"):
        read_manifest(dataset / "manifest.json")
