"""Names of files in output, on every terminal; and the user's folder."""

import io
import json
import os
import sys

import numpy as np
import pytest

from keras_gahr.commands.app import main
from keras_gahr.commands.options import expand_home
from keras_gahr.commands.terminal import Printable
from keras_gahr.datasets import write_image

pytestmark = pytest.mark.one_backend

HOSTILE = os.fsdecode(b"caf\xe9 \x1b]0;owned\x07\xe2\x80\xae\n.png")
SHOWN = "caf\\xe9 \\x1b]0;owned\\x07\\u202e\\n.png"


@pytest.fixture
def hostile(tmp_path, smooth_images):
    """A folder of pictures whose names are no UTF-8, or do things to terminals."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_image(folder / "a.png", smooth_images(1, 16, 16)[0])
    try:
        (folder / "a.png").rename(folder / HOSTILE)
    except (OSError, ValueError):
        pytest.skip("this file system has no such names")
    (folder / HOSTILE.replace(".png", ".txt")).touch()
    return folder


def test_names_are_shown_escaped(gahr, refused, tiny_model, hostile, tmp_path):
    out = tmp_path / "out"
    result = gahr("denoise", tiny_model, hostile, "--out", out, "--add-noise", 0.1)
    assert result.exit_code == 0, result.output
    assert f"{SHOWN}: " in result.output
    assert SHOWN.replace(".png", ".txt") + " (not an image" in result.output
    assert result.output.replace("\n", "").isprintable()
    text = (out / "denoising.json").read_bytes().decode()
    report = json.loads(text)
    assert report["files"][0]["name"] == SHOWN
    json.dumps(report, ensure_ascii=False).encode()
    (hostile / HOSTILE).write_text("text")
    line = refused("denoise", tiny_model, hostile / HOSTILE, "--out", tmp_path / "x.png")
    assert SHOWN in line


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_encoding_of_the_output(encoding, tmp_path, monkeypatch):
    """Strict, as Python makes it for most locales: the work must not end in an encoding error."""
    np.save(tmp_path / "x.npy", np.zeros((8, 8)))
    for name, shown in ((HOSTILE.replace("\n", ""), SHOWN.replace("\\n", "")), ("日本", "日本")):
        streams = [io.TextIOWrapper(io.BytesIO(), encoding, errors="strict") for _ in range(2)]
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])
        arguments = ["data", "array", tmp_path / "x.npy", tmp_path / name]
        monkeypatch.setattr(sys, "argv", ["gahr", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        assert not caught.value.code
        streams[0].flush()
        output = streams[0].buffer.getvalue().decode(encoding)
        if encoding != "utf-8":
            shown = shown.encode(encoding, "backslashreplace").decode(encoding)
        assert f"{shown}: 1 images" in output


def test_what_is_not_text_is_not_written():
    with pytest.raises(TypeError):
        Printable(io.StringIO()).write(b"bytes")
    assert not hasattr(Printable(sys.stdout), "buffer")


def test_the_home_folder(gahr, tmp_path, monkeypatch, smooth_images):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    np.save(home / "x.npy", smooth_images(1, 16, 16))
    result = gahr("data", "array", "~/x.npy", "~/y")
    assert result.exit_code == 0, result.output
    result = gahr("data", "show", "~/y", "--out=~/show.png")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in home.iterdir()) == [
        "show.json",
        "show.png",
        "x.npy",
        "y",
    ]
    assert not (tmp_path / "~").exists()
    for kept in ("~x", "--sigma=~", "a~/x", "--out=./~/x"):
        assert expand_home(kept) == (kept if kept != "--sigma=~" else f"--sigma={home}")
