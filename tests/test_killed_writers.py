"""What processes that are killed leave of what they write: all of it or nothing, and no litter for ever."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import FOR_EVER

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = Path(__file__).with_name("killed_writers.py")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("kind", ["disks", "restore", "convert"])
def test_killed_at_every_event(tmp_path, kind):
    command = [sys.executable, str(SCRIPT), kind, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=FOR_EVER
    )
    assert done.returncode == 0, done.stderr
    *listings, last = done.stdout.splitlines()
    kills = int(last.removeprefix("kills: "))
    assert kills >= 4, done.stdout
    if kind != "convert":
        # A folder gets its name when it is whole.
        assert not any("killed" in names.split() for names in listings[:-1])
    assert {path.name for path in tmp_path.iterdir()} - {"in", "network.keras"} == {
        "killed",
        "whole",
    }
    found, expected = (contents(tmp_path / name) for name in ("killed", "whole"))
    assert found.keys() == expected.keys() and len(found) >= 2
    if kind != "convert":  # A .keras file holds the time when it was made.
        assert found == expected


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
