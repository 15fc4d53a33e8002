"""What killed writers leave is removed by the next one; what living ones write is not."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import FOR_EVER

from keras_gahr import InputError
from keras_gahr.files import replacing, replacing_folder

ROOT = Path(__file__).resolve().parents[1]

needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

WRITER = """
import sys
from pathlib import Path
sys.argv[0] = "gahr"  # Which imports no Keras.
from keras_gahr.files import replacing, replacing_folder
write = {"file": replacing, "folder": replacing_folder}[sys.argv[1]]
with write(Path(sys.argv[2])) as temporary:
    (temporary / "data" if temporary.is_dir() else temporary).write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer():
    """A function that starts a process which writes to a path; it is in mid-write on return."""
    processes = []

    def start(kind, path):
        command = [sys.executable, "-c", WRITER, kind, str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
        processes.append(process)
        assert process.stdout.readline() == "writing\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def write(kind, path):
    with {"file": replacing, "folder": replacing_folder}[kind](path) as temporary:
        (temporary / "data" if kind == "folder" else temporary).write_text("whole")


def content(kind, path):
    return (path / "data" if kind == "folder" else path).read_text()


@needs_locks
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_killed_writers_leave_nothing_for_ever(tmp_path, writer, kind):
    path = tmp_path / "new" / "run.csv"
    first, second, living = (writer(kind, path) for _ in range(3))
    for process in (first, second):
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(list(path.parent.iterdir())) == 3
    write(kind, path)
    assert content(kind, path) == "whole"
    [left] = {item.name for item in path.parent.iterdir()} - {"run.csv"}
    assert left.startswith(".")
    living.send_signal(signal.SIGKILL)
    living.wait()
    if kind == "folder":
        shutil.rmtree(path)
    write(kind, path)
    assert [item.name for item in path.parent.iterdir()] == ["run.csv"]


@needs_locks
def test_a_living_writer_is_left_alone(tmp_path, writer):
    path = tmp_path / "run.csv"
    process = writer("file", path)
    write("file", path)
    assert path.read_text() == "whole"
    process.communicate("", timeout=FOR_EVER)
    assert process.returncode == 0
    assert path.read_text() == "half"
    assert [item.name for item in tmp_path.iterdir()] == ["run.csv"]


def test_many_may_write_to_one_path(tmp_path):
    def nested(depth):
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text(str(depth))
            if depth:
                nested(depth - 1)

    nested(12)
    assert (tmp_path / "a.txt").read_text() == "12"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


@needs_locks
def test_what_was_moved_away_is_put_back(tmp_path):
    """Killed between the two moves of a replacement: the old folder is nowhere else."""
    path = tmp_path / "data"
    with replacing_folder(path) as temporary:
        place = temporary.parent
    (path / "a").write_text("old")

    def kill():
        (place / "new").mkdir(parents=True)
        path.rename(place / "old")

    kill()
    with pytest.raises(InputError, match="was put back"), replacing_folder(path):
        pass
    assert (path / "a").read_text() == "old"
    kill()
    with replacing_folder(path, overwrite=True) as temporary:
        assert (path / "a").read_text() == "old"
        (temporary / "b").write_text("new")
    assert [item.name for item in path.iterdir()] == ["b"]
    assert [item.name for item in tmp_path.iterdir()] == ["data"]


def test_without_locks_writing_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.files.fcntl", None)
    for k in range(10):
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text(str(k))
            shutil.copytree(temporary.parent, tmp_path / "copy")
        (tmp_path / "copy").rename(temporary.parent)
    assert (tmp_path / "a.txt").read_text() == "9"
