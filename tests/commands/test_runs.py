"""`gahr runs`."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from systems import needs_pipes

from keras_gahr.runs import find_runs

pytestmark = pytest.mark.one_backend

HISTORY = "epoch,train_loss,train_psnr,test_loss,test_psnr\n1,3,20.1,4,19.9\n2,2,24.25,3,23.5\n"


@pytest.fixture
def make_run(tmp_path):
    """A function that makes a run directory with some files."""

    def make(name, epochs=5, history=HISTORY, **status):
        path = tmp_path / name
        path.mkdir(parents=True)
        config = {"training": {"epochs": epochs}, "versions": {"keras_gahr": "0.1.0"}}
        (path / "config.json").write_text(json.dumps(config))
        if history is not None:
            (path / "history.csv").write_text(history)
        if status:
            here = {"pid": os.getpid(), "host": socket.gethostname(), "epochs": epochs, "epoch": 2}
            (path / "status.json").write_text(json.dumps({**here, **status}))
        return path

    return make


@pytest.fixture
def dead_process():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_states(make_run, dead_process, tmp_path):
    make_run("a/running", state="running")
    for state in ("finished", "stopped", "diverged", "early stop", "failed"):
        make_run(f"b/{state}", state=state)
    killed = make_run("c/killed", state="running", pid=dead_process)
    make_run("d/elsewhere", state="running", host="another", pid=dead_process)
    make_run("e/old", history=HISTORY)
    make_run("f/old finished", epochs=2)
    make_run("g/old diverged", history="epoch,train_loss,train_psnr\n1,nan,nan\n")
    make_run("h/just begun", history=None)
    found = {run.path.name: run for run in find_runs(tmp_path)}
    assert {name: run.state for name, run in found.items()} == {
        "running": "running",
        "finished": "finished",
        "stopped": "stopped",
        "diverged": "diverged",
        "early stop": "early stop",
        "failed": "failed",
        "killed": f"interrupted: gahr train --resume {killed}",
        "elsewhere": "running on another",
        "old": "not finished",
        "old finished": "finished",
        "old diverged": "diverged",
        "just begun": "not finished",
    }
    run = found["killed"]
    assert (run.epoch, run.epochs, run.train_psnr, run.test_psnr) == (2, 5, 24.25, 23.5)
    begun = found["just begun"]
    assert (begun.epoch, begun.epochs, begun.train_psnr) == (0, 5, None)
    assert found["old diverged"].train_psnr is None


def test_a_number_taken_by_a_later_process_is_not_the_run(make_run, tmp_path):
    path = make_run("run", state="running")
    for file in path.iterdir():
        os.utime(file, (1e9, 1e9))
    (run,) = find_runs(tmp_path)
    expected = "interrupted" if os.path.exists("/proc/self/stat") else "running"
    assert run.state.startswith(expected)


def test_broken_files_do_not_break_the_list(make_run, tmp_path):
    broken = {
        "config.json": [b"", b"{", b"\xff\xfe", b"[1]", b"[" * 200_000, b'{"training": 3}'],
        "history.csv": [
            b"epoch\nx\n",
            b"\xff\xfe\x00",
            b"epoch,train_psnr\n1,high\n",
            b"a,b\n1,2\n",
        ],
        "status.json": [b"{}", b"null", b'{"state": "running", "epoch": 1, "epochs": 2}'],
    }
    for name, contents in broken.items():
        for index, content in enumerate(contents):
            (make_run(f"{name}-{index}", state="running") / name).write_bytes(content)
    for index, pid in enumerate((0, -1, True, "12", 2**70, None)):
        make_run(f"pid-{index}", state="running", pid=pid)
    make_run("good", state="running")
    states = {run.path.name: run.state for run in find_runs(tmp_path)}
    assert states.pop("good") == "running"
    assert states.pop("pid-4").startswith("interrupted")
    assert set(states.values()) == {"unreadable"}
    # Valid JSON of something else is not listed, whatever is beside it.
    assert len(states) == 13 + 5 - 2


def test_other_folders_are_passed_over(make_run, tmp_path):
    make_run(".hidden/run", state="finished")
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text("{}")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    assert find_runs(tmp_path) == []


def test_the_command(gahr, refused, make_run, dead_process, tmp_path):
    assert gahr("runs", tmp_path).output == f"no runs in {tmp_path}\n"
    finished = make_run("finished", epochs=2, state="finished")
    killed = make_run("killed", state="running", pid=dead_process)
    (make_run("torn") / "config.json").write_text("{")
    os.utime(finished / "config.json", (1, 1))
    result = gahr("runs", tmp_path)
    assert result.exit_code == 0
    header, first, second, third = result.output.splitlines()
    assert header.split() == ["run", "epochs", "train", "dB", "test", "dB", "age", "state"]
    assert first.split()[:4] == [str(finished), "2/2", "24.25", "23.50"]
    assert first.endswith("finished")
    assert second.endswith(f"interrupted: gahr train --resume {killed}")
    assert third.split()[1:4] == ["-", "-", "-"]
    assert third.endswith("unreadable")
    assert "is not a folder" in refused("runs", tmp_path / "none")


def test_no_keras_is_imported(make_run, tmp_path):
    """It only reads small files, and should answer at once."""
    make_run("run", state="finished")
    code = (
        "import sys; sys.argv[0] = 'gahr'\n"
        "from keras_gahr.commands.app import app\n"
        "from typer.testing import CliRunner\n"
        f"result = CliRunner().invoke(app, ['runs', {str(tmp_path)!r}])\n"
        "assert 'finished' in result.output, result.output\n"
        "heavy = {'keras', 'numpy', 'torch', 'jax', 'tensorflow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


@needs_pipes
def test_odd_files_do_not_end_the_list(make_run, tmp_path):
    make_run("a", epochs=float("inf"))
    pipe = make_run("b", history=None) / "history.csv"
    os.mkfifo(pipe)
    assert [run.state for run in find_runs(tmp_path)] == ["unreadable", "not finished"]
