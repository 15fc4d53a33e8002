"""What processes that are killed leave of what they write: all of it or nothing, and no litter for ever."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import FOR_EVER

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = Path(__file__).with_name("killed_writers.py")


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder of all kinds, and what was seen of each."""
    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
            "TF_CPP_MIN_LOG_LEVEL": "2",
        },
        timeout=FOR_EVER,
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", ["disks", "restore", "convert"])
def test_killed_at_every_event(killed, kind):
    folder, seen = killed[0] / kind, killed[1][kind]
    assert seen["kills"] >= 4, seen
    if kind != "convert":
        # A folder gets its name when it is whole.
        assert not any("killed" in names for names in seen["names"][:-1])
    assert {path.name for path in folder.iterdir()} - {"in", "network.keras"} == {
        "killed",
        "whole",
    }
    found, expected = (contents(folder / name) for name in ("killed", "whole"))
    assert found.keys() == expected.keys() and len(found) >= 2
    if kind != "convert":  # A .keras file holds the time when it was made.
        assert found == expected


def test_what_is_restored_is_not_made_again(killed):
    *_, last = first = [each for each in killed[1]["restore"]["first"] if each]
    assert len(first) >= 2
    assert all(each == last for each in first), first


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
