"""A run that was stopped goes on, and nobody can tell afterwards."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_gahr.datasets import faces, make_faces, pixel_limit
from keras_gahr.errors import InputError

CLI = Path(__file__).resolve().parents[2] / "cli.py"


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.pictures.BLOCK", 2)


@pytest.fixture
def source(half_picture, folder_of):
    """Eleven pictures, one of them damaged."""
    files = {f"{k:02d}.jpg": half_picture(k) for k in range(11)}
    return folder_of(files | {"05.jpg": b"text"})


@pytest.fixture
def decoded(monkeypatch):
    """The names of the pictures that were decoded."""
    names = []
    face = faces.face

    def counted(picture, size, name):
        names.append(name)
        return face(picture, size, name)

    monkeypatch.setattr(faces, "face", counted)
    return names


def make(source, out, stop_after=None, **options):
    """Makes faces; a stop comes like Ctrl-C."""

    def stop(done, total):
        if stop_after is not None and done >= stop_after:
            raise KeyboardInterrupt

    return make_faces(source, out, 20, skip_bad=True, progress=stop, **options)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def partial(out):
    return out.with_name(f".{out.name}.partial")


def interrupt(source, out, stop_after=6, **options):
    with pytest.raises(KeyboardInterrupt):
        make(source, out, stop_after, **options)
    assert not out.exists()
    assert partial(out).is_dir()


def test_it_goes_on_where_it_was(source, tmp_path, small_blocks, decoded):
    make(source, tmp_path / "whole")
    interrupt(source, tmp_path / "out", 4)
    interrupt(source, tmp_path / "out", 8)
    decoded.clear()
    make(source, tmp_path / "out")
    assert sorted(decoded) == ["08.jpg", "09.jpg", "10.jpg"]
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert not partial(tmp_path / "out").exists()


def test_pictures_that_were_too_large_are_taken_with_a_higher_limit(
    source, tmp_path, small_blocks, big_files
):
    (source / "03.jpg").write_bytes(big_files["000001.jpg"])
    make(source, tmp_path / "whole")
    with pixel_limit(178 * 218 - 1):
        interrupt(source, tmp_path / "out")
    make(source, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def cut_images(folder, size):
    data = (folder / "images.npy").read_bytes()
    (folder / "images.npy").write_bytes(data[:size])


def change_image(folder, place):
    data = bytearray((folder / "images.npy").read_bytes())
    data[place] ^= 1
    (folder / "images.npy").write_bytes(data)


def cut_journal(folder, size):
    data = (folder / "journal.jsonl").read_bytes()
    (folder / "journal.jsonl").write_bytes(data[:size])


def garble_journal(folder, line):
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    lines[line] = b"\0\xff{\n"
    (folder / "journal.jsonl").write_bytes(b"".join(lines))


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        (cut_images, 0),
        (cut_images, 100),
        (cut_images, 128 + 4 * 400),
        (cut_images, -1),
        (change_image, 128 + 5),
        (change_image, -5),
        (cut_journal, 0),
        (cut_journal, 40),
        (cut_journal, -1),
        (cut_journal, -30),
        (garble_journal, 0),
        (garble_journal, 2),
        (lambda folder, _: (folder / "images.npy").unlink(), None),
        (lambda folder, _: (folder / "journal.jsonl").unlink(), None),
        (lambda folder, _: (folder / "manifest.json").write_text("{}"), None),
    ],
)
def test_whatever_a_stop_left_behind(source, tmp_path, small_blocks, damage, where):
    make(source, tmp_path / "whole")
    interrupt(source, tmp_path / "out", 8)
    damage(partial(tmp_path / "out"), where)
    interrupt(source, tmp_path / "out", 10)
    make(source, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_files_that_changed_meanwhile_are_read_again(
    half_picture, source, tmp_path, small_blocks, decoded
):
    interrupt(source, tmp_path / "out", 8)
    (source / "03.jpg").write_bytes(half_picture(100))
    decoded.clear()
    make(source, tmp_path / "out")
    assert {"02.jpg", "03.jpg"} <= set(decoded)
    assert not {"00.jpg", "01.jpg"} & set(decoded)
    make(source, tmp_path / "whole")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_files_that_came_or_went_meanwhile(half_picture, source, tmp_path, small_blocks):
    interrupt(source, tmp_path / "out", 8)
    (source / "00.jpg").unlink()
    (source / "99.jpg").write_bytes(half_picture(99))
    make(source, tmp_path / "out")
    make(source, tmp_path / "whole")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("change", [{"color": True}, {"dtype": "uint8"}])
def test_another_recipe_starts_anew(source, tmp_path, small_blocks, decoded, change):
    interrupt(source, tmp_path / "out", 8)
    decoded.clear()
    make(source, tmp_path / "out", **change)
    assert len(decoded) == 10
    make(source, tmp_path / "whole", **change)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_the_older_dataset_stays_until_the_end(source, tmp_path, small_blocks):
    make(source, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        make(source, tmp_path / "out", 6, color=True, overwrite=True)
    assert contents(tmp_path / "out") == before
    make(source, tmp_path / "out", color=True, overwrite=True)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["parameters"]["color"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_two_at_once_are_refused(source, tmp_path, small_blocks):
    def second(done, total):
        with pytest.raises(InputError, match="another process"):
            make(source, tmp_path / "out")

    make_faces(source, tmp_path / "out", 20, skip_bad=True, progress=second)
    assert len(json.loads((tmp_path / "out" / "manifest.json").read_text())["sources"]) == 10


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_processes(half_picture, tmp_path):
    """Killed three times at whatever they were doing, after at least another block each time."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    data = [half_picture(k) for k in range(10)]
    for k in range(1200):
        (pictures / f"{k:04d}.jpg").write_bytes(data[k % 10])
    out = tmp_path / "out"
    command = [
        sys.executable,
        str(CLI),
        "data",
        "folder",
        str(pictures),
        str(out),
        "--crop",
        "square",
    ]
    journal = partial(out) / "journal.jsonl"
    killed = 0
    for k in range(3):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None and lines(journal) < 2 + 2 * k:
            time.sleep(0.002)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
    assert killed == 3
    assert not out.exists()
    assert lines(journal) >= 6
    subprocess.run(command, check=True, capture_output=True)
    whole = [*command[:5], str(tmp_path / "whole"), *command[6:]]
    subprocess.run(whole, check=True, capture_output=True)
    assert contents(out) == contents(tmp_path / "whole")


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0
