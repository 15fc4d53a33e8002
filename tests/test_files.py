"""Files that are read, and files that are written whole or not at all."""

import os
import socket
from pathlib import Path

import pytest
from systems import needs_pipes

from keras_gahr import InputError
from keras_gahr.files import (
    check_output_file,
    check_output_folder,
    check_regular,
    replacing,
    replacing_folder,
    resuming_folder,
)


@needs_pipes
def test_only_regular_files_are_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # A socket's name has at most about 100 bytes.
    (tmp_path / "file").write_text("text")
    os.symlink("file", "link")
    os.symlink("loop", "loop")
    os.symlink("nothing", "broken")
    os.mkfifo("pipe")
    os.symlink("pipe", "link to a pipe")
    assert check_regular("file") == Path("file")
    assert check_regular(tmp_path / "link") == tmp_path / "link"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for path, says in {
            "missing": "does not exist",
            "file/inside": "does not exist",
            "broken": "does not exist",
            "loop": "cannot be read: Too many levels",
            "nul\0": "cannot be read",
            ".": "is a folder",
            "pipe": "is a pipe",
            "link to a pipe": "is a pipe",
            "socket": "is a socket",
            "/dev/zero": "is a device",
        }.items():
            with pytest.raises(InputError, match=says) as caught:
                check_regular(path, "a photo")
            assert "\n" not in str(caught.value)
            assert "cannot be read" in says or str(caught.value).endswith(": give a photo")


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "x.txt"
    with replacing(path) as temporary:
        temporary.write_text("one")
    assert path.read_text() == "one"
    with pytest.raises(KeyError), replacing(path) as temporary:
        temporary.write_text("two")
        raise KeyError
    assert path.read_text() == "one"
    assert [item.name for item in path.parent.iterdir()] == ["x.txt"]


def test_a_folder_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out"
    with replacing_folder(path) as folder:
        (folder / "a").write_text("one")
    with pytest.raises(KeyError), replacing_folder(path, overwrite=True) as folder:
        (folder / "a").write_text("two")
        raise KeyError
    assert (path / "a").read_text() == "one"
    with replacing_folder(path, overwrite=True) as folder:
        (folder / "b").write_text("three")
    assert [item.name for item in path.iterdir()] == ["b"]
    assert [item.name for item in tmp_path.iterdir()] == ["out"]


def test_what_appears_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "out"
    with pytest.raises(InputError, match="meanwhile"), replacing_folder(path):
        path.mkdir()
        (path / "precious").write_text("text")
    assert (path / "precious").read_text() == "text"


def test_an_old_folder_comes_back_when_the_swap_fails(tmp_path, monkeypatch):
    path = tmp_path / "out"
    path.mkdir()
    (path / "a").write_text("one")
    rename = type(path).rename

    def failing(self, target):
        if "new" in {item.name for item in self.iterdir()}:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    with pytest.raises(InputError, match="No space left"), replacing_folder(path, True) as folder:
        (folder / "new").write_text("two")
        monkeypatch.setattr(type(path), "rename", failing)
    assert (path / "a").read_text() == "one"
    assert [item.name for item in tmp_path.iterdir()] == ["out"]


def test_errors_name_the_file_that_was_asked_for(tmp_path):
    says = r"out\.bin cannot be written: No space left on device"
    with pytest.raises(InputError, match=says), replacing(tmp_path / "out.bin"):
        raise OSError(28, "No space left on device")


def test_only_folders_of_ours_may_be_replaced(tmp_path):
    def check(overwrite=True):
        return check_output_folder(
            tmp_path / "out", overwrite, known_by="a.json", contents=("a.json", "b")
        )

    check(overwrite=False)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="exists"):
        check(overwrite=False)
    (tmp_path / "out" / "a.json").write_text('{"model_type": "somebody else"}')
    with pytest.raises(InputError, match=r"no a\.json of this package"):
        check()
    (tmp_path / "out" / "a.json").write_text('{"package": "keras-gahr 0.1.0"}')
    check()
    (tmp_path / "out" / "thesis").write_text("text")
    with pytest.raises(InputError, match="thesis"):
        check()


def test_outputs_inside_files_and_onto_folders_are_refused(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match="not a folder"):
        check_output_file(tmp_path / "file" / "x.png")
    with pytest.raises(InputError, match="is a folder"):
        check_output_file(tmp_path, overwrite=True)


def test_errors_of_other_files_do_not_blame_the_output(tmp_path):
    """An input that cannot be read is named itself, whichever way the output is written."""
    out = tmp_path / "out"
    for write in (replacing, replacing_folder, resuming_folder):
        with pytest.raises(InputError, match=r"in\.png: Permission denied"), write(out):
            raise PermissionError(13, "Permission denied", str(tmp_path / "in.png"))
        with pytest.raises(InputError, match=r"in\.png: Permission denied"), write(out):
            raise PermissionError(13, "Permission denied", os.fsencode(tmp_path / "in.png"))
        with pytest.raises(ConnectionResetError), write(out):
            raise ConnectionResetError(104, "Connection reset by peer")
        with pytest.raises(InputError, match=r"out cannot be written: Is full"), write(out):
            raise OSError(28, "Is full")
        with pytest.raises(InputError, match=r"out cannot be written: Denied"), write(out) as path:
            raise OSError(13, "Denied", str(path))
        with pytest.raises(InputError, match=r"out cannot be written: Denied"), write(out) as path:
            raise OSError(13, "Denied", str(path / "x.png"))
        assert not list(tmp_path.iterdir())


def test_a_full_disk_costs_nothing_that_can_go_on(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="Is full"), resuming_folder(out) as folder:
        (folder / "done").write_text("hours of work")
        with replacing(folder / "next"):
            raise OSError(28, "Is full")
    with resuming_folder(out) as folder:
        assert [item.name for item in folder.iterdir()] == ["done"]
    assert (out / "done").read_text() == "hours of work"


def test_temporary_names_are_not_shown(tmp_path):
    with (
        pytest.raises(InputError, match=r"/out/x\.png is bad"),
        replacing_folder(tmp_path / "out") as folder,
    ):
        raise InputError(f"{folder / 'x.png'} is bad")


def test_no_folder_called_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("~", "~/x.png"):
        with pytest.raises(InputError, match="write the folder out"):
            check_output_file(path)
    check_output_file("~x.png")


def test_an_array_that_does_not_fit_on_a_disk_says_so(tmp_path):
    """NumPy raises this without a reason."""
    expected = r"x\.npy cannot be written: .*the disk seems to be full"
    with pytest.raises(InputError, match=expected), replacing(tmp_path / "x.npy"):
        raise OSError("10240 requested and 2016 written")


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"x")
    with pytest.raises(InputError, match="is not a folder, and one is written there"):
        check_output_folder(tmp_path / "x.npy", True, known_by="a.json", contents=["a.json"])
