"""Names of files: long ones, odd ones, and the temporary ones beside them."""

import os
import shutil

import pytest

from keras_gahr import InputError
from keras_gahr.files import (
    check_output_file,
    check_output_folder,
    remove_leftovers,
    replacing,
    replacing_folder,
    resuming_folder,
)

LONGEST = 255
"""Bytes in a name on most file systems."""

LONG_NAMES = (
    "n" * 247 + ".png",
    "n" * LONGEST,
    "写" * 80 + ".keras",
    "🦆" * 62 + ".png",
    "é" * 100 + "." + "s" * 54,
    os.fsdecode(b"caf\xe9" * 62 + b".npy"),
    "n" * 100 + ".safetensors",
)


@pytest.mark.parametrize("name", LONG_NAMES, ids=range(len(LONG_NAMES)))
def test_temporary_names_are_not_longer_than_names_may_be(tmp_path, name):
    """And are found again, with the suffix by which libraries choose the format."""
    path, length = tmp_path / name, len(os.fsencode(name))
    assert length <= LONGEST
    try:
        path.touch()
    except OSError:
        pytest.skip("the file system here takes no such name")
    path.unlink()
    for folder in (replacing_folder, resuming_folder):
        with folder(path, overwrite=True) as temporary:
            (temporary / "a").write_text("one")
            [beside] = {item.name for item in tmp_path.iterdir()} - {name}
            assert beside.startswith(".")
            assert len(os.fsencode(beside)) <= max(128, length)
    assert [item.name for item in tmp_path.iterdir()] == [name]
    remove_leftovers(path, ["a"])
    (path / "a").unlink()
    path.rmdir()

    with replacing(path) as temporary:
        assert len(os.fsencode(temporary.parent.name)) <= max(128, length)
        assert temporary.suffix == path.suffix or len(path.suffix) > 16
        temporary.write_text("left")
        shutil.copytree(temporary.parent, tmp_path / "copy")
    (tmp_path / "copy").rename(temporary.parent)
    remove_leftovers(tmp_path, ["n" * 247 + "x", "other.png"])
    assert temporary.exists()
    remove_leftovers(tmp_path, [name])
    assert [item.name for item in tmp_path.iterdir()] == [name]


def test_long_names_that_begin_alike_have_other_temporary_names(tmp_path):
    names = ["n" * 250 + end for end in "ab"]
    with replacing(tmp_path / names[0]) as one:
        one.write_text("still being written")
        remove_leftovers(tmp_path, names[1:])
        assert one.exists()
    with (
        resuming_folder(tmp_path / names[1]) as one,
        resuming_folder(tmp_path / ("n" * 252)) as two,
    ):
        assert one != two


def test_leftovers_of_names_with_wildcards_are_found(tmp_path):
    with pytest.raises(KeyError), replacing(tmp_path / "a[1]*.png") as temporary:
        temporary.write_text("left")
        shutil.copytree(temporary.parent, tmp_path / "copy")
        raise KeyError
    (tmp_path / "copy").rename(temporary.parent)
    (tmp_path / ".b-01234567.89abcdef").touch()
    remove_leftovers(tmp_path, ["a[1]*.png", "b.89abcdef", "a"])
    assert not list(tmp_path.iterdir())


def test_names_that_are_too_long_are_refused_before_any_work(tmp_path):
    for path in (
        tmp_path / ("n" * 256),
        tmp_path / "new" / ("写" * 86),
        tmp_path / ("n" * 256) / "new",
    ):
        with pytest.raises(InputError, match=r"cannot be made: .*(25[68] bytes|too long)"):
            check_output_file(path)
        with pytest.raises(InputError, match=r"cannot be made: .*(25[68] bytes|too long)"):
            check_output_folder(path, known_by="a.json", contents=("a.json",))
    assert not list(tmp_path.iterdir())


def test_a_link_to_a_folder_stays_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    with replacing_folder(tmp_path / "link") as folder:
        (folder / "a").write_text("one")
    with replacing_folder(tmp_path / "link", overwrite=True) as folder:
        (folder / "a").write_text("two")
    with resuming_folder(tmp_path / "link", overwrite=True) as folder:
        (folder / "b").write_text("three")
    assert (tmp_path / "link").is_symlink()
    assert [item.name for item in (tmp_path / "disk").iterdir()] == ["b"]
    assert {item.name for item in tmp_path.iterdir()} == {"link", "disk"}
