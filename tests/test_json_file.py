"""JSON files that are written."""

import json
import os
import tracemalloc

import numpy as np
import pytest

from keras_gahr.json_file import json_text, read_json, write_json

pytestmark = pytest.mark.one_backend


def test_every_reader_takes_what_is_written(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    value = {name: [1, name, {"b": (None, "日本\n")}], "c": np.array([np.nan, 0.5]), "d": {}}
    read = {"caf\\xe9": [1, "caf\\xe9", {"b": [None, "日本\n"]}], "c": [None, 0.5], "d": {}}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == read
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == json_text(value) + "\n" == json.dumps(read, indent=1, ensure_ascii=False) + "\n"


def test_writing_takes_little_more_than_what_is_written(tmp_path):
    """As a manifest with the files of many images."""
    value = {"sources": [{"name": f"{k:06}.jpg", "sha256": f"{k:064x}"} for k in range(20_000)]}
    tracemalloc.start()
    try:
        write_json(tmp_path / "a.json", value)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Its dictionaries are copied, of 1.6 times these bytes. With the parts of the text it was 7.5 times.
    assert peak < 3 * (tmp_path / "a.json").stat().st_size
