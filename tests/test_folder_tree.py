"""Walking through folders."""

import os
import sys

import pytest

from keras_gahr.errors import InputError
from keras_gahr.folder_tree import walk

needs_links = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows makes no links for ordinary users"
)


def test_every_entry_is_found_or_left_out(tmp_path):
    for name in ("b/deep/x.png", "a.png", ".hidden/y.png", ".hidden/in/y.png", "b/.z.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    files, left_out, unreadable = walk(tmp_path / "in")
    assert files == ["a.png", "b/deep/x.png"]
    assert left_out == dict.fromkeys((".hidden/y.png", ".hidden/in/y.png", "b/.z.png"), "hidden")
    assert unreadable == {}


@needs_links
def test_links_are_followed_once(tmp_path):
    for name in ("in/z/0.png", "away/1.png", "away/deep/2.png", "other/3.png", "in/.hid/4.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    top = tmp_path / "in"
    for name, target in {
        "more": "../away",
        "again": "../away/deep",
        "a": "z",
        "z/up": "..",
        "z/top": "../..",
        "file.png": "../other/3.png",
        ".hid/away": "../../other",
        "gone.png": "nothing",
        "round": "round",
    }.items():
        (top / name).symlink_to(target)
    (tmp_path / "away" / "back").symlink_to(top)
    os.mkfifo(top / "pipe.png")
    files, left_out, unreadable = walk(top)
    assert files == ["again/2.png", "file.png", "more/1.png", "z/0.png"]
    assert left_out == {
        ".hid/4.png": "hidden",
        ".hid/away": "hidden",
        "a": "the same folder as z",
        "more/back": "the same folder as in",
        "more/deep": "the same folder as again",
        "pipe.png": "not a file, but a pipe, a device or a socket",
        "z/top": "a link to a folder that it is in",
        "z/up": "a link to a folder that it is in",
    }
    assert unreadable["gone.png"] == "is a link to what does not exist"
    assert unreadable["round"].startswith("cannot be read: Too many levels")


@needs_links
def test_links_that_double_at_every_step_take_no_time(tmp_path):
    for k in range(40):
        (tmp_path / f"{k}").mkdir()
        for name in "ab":
            (tmp_path / f"{k}" / name).symlink_to(f"../{k + 1}")
    (tmp_path / "40").mkdir()
    (tmp_path / "40" / "x.png").touch()
    files, left_out, _ = walk(tmp_path / "0")
    assert files == ["/".join("a" * 40) + "/x.png"]
    assert len(left_out) == 40


def test_folders_that_cannot_be_listed(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "x.png").touch()
    scandir = os.scandir

    def deny(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    assert walk(tmp_path) == ([], {}, {"closed": "cannot be listed: Permission denied"})
    with pytest.raises(InputError, match="closed cannot be listed: Permission denied"):
        walk(tmp_path / "closed")
