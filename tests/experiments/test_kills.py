"""`gahr reproduce`, killed at random moments."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_gahr import load_denoiser

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("killed_reproduction.py")
KILLS = 10


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="Windows has no fork and no groups of processes"
)
def test_a_reproduction_killed_many_times_ends_with_the_same_numbers(tmp_path):
    """The whole group of processes, while it makes datasets, trains, analyses and writes its page."""
    command = [sys.executable, SCRIPT, tmp_path, KILLS, 0]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1] == f"killed {KILLS}", result.stdout

    folders = [tmp_path / name for name in ("killed", "whole")]
    found, expected = (json.loads((f / "ray" / "numbers.json").read_text()) for f in folders)
    assert expected["numbers"]
    assert "claims:" in (tmp_path / "output").read_text()
    assert (folders[1] / "ray" / "report.html").stat().st_size > 10_000
    for part in ("numbers", "claims", "settings"):
        assert found[part] == expected[part]
    models = [next(f.glob("runs/*/model.keras")) for f in folders]
    for one, other in zip(*(load_denoiser(m).get_weights() for m in models), strict=True):
        np.testing.assert_array_equal(one, other)
    assert names(folders[0]) == names(folders[1])


def names(folder):
    """Of all files but event files, which are called by the second, and what killed processes left."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if "tfevents" not in path.name
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
