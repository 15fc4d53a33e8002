"""Walking through folders."""

import os
import sys

import pytest

from keras_gahr.datasets.walk import walk
from keras_gahr.errors import InputError


def test_every_entry_is_found_or_left_out(tmp_path):
    for name in ("b/deep/x.png", "a.png", ".hidden/y.png", "b/.z.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    files, left_out = walk(tmp_path / "in")
    assert files == ["a.png", "b/deep/x.png"]
    assert left_out == {".hidden": "hidden", "b/.z.png": "hidden"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows makes no links for ordinary users")
def test_links_are_followed_once(tmp_path):
    top, other = tmp_path / "in", tmp_path / "other"
    (top / "z").mkdir(parents=True)
    other.mkdir()
    (top / "z" / "x.png").touch()
    (other / "y.png").touch()
    (top / "a").symlink_to(top / "z")
    (top / "linked").symlink_to(other)
    (other / "back").symlink_to(top)
    (top / "gone.png").symlink_to(top / "nothing")
    (top / "y.png").symlink_to(other / "y.png")
    os.mkfifo(top / "pipe.png")
    files, left_out = walk(top)
    assert files == ["linked/y.png", "y.png", "z/x.png"]
    assert left_out == {
        "a": "the same folder as z",
        "gone.png": "a link that leads nowhere",
        "linked/back": "the same folder as the whole",
        "pipe.png": "not a file",
    }


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root lists everything")
def test_folders_that_cannot_be_listed(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    assert walk(tmp_path) == ([], {"closed": "cannot be read: Permission denied"})
    with pytest.raises(InputError, match="closed cannot be read: Permission denied"):
        walk(tmp_path / "closed")
