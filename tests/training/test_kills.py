"""Trainings in processes that are killed at random moments."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from equal_runs import check_equal_files
from waiting import FOR_EVER

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("killed_training.py")
BACKENDS = [b for b in ("tensorflow", "torch", "jax") if importlib.util.find_spec(b)]
KILLS = 20
KILLS_WHERE_COMPILED = 12
"""TensorFlow and JAX compile the step in every process."""
LEAST_AMID = 8
"""Kills between the first and the last step."""


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_training_killed_many_times_ends_as_one_left_in_peace(tmp_path, backend):
    """Bit for bit: the weights, the optimizer, the random generators and the history."""
    kills = KILLS if backend == "torch" else KILLS_WHERE_COMPILED
    command = [sys.executable, SCRIPT, tmp_path, kills, 0]
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env=environment, timeout=FOR_EVER
    )
    assert result.returncode == 0, result.stderr
    early, amid = map(int, result.stdout.split()[-2:])
    assert early >= 2 and amid >= LEAST_AMID, result.stdout

    check_equal_files(tmp_path / "killed", tmp_path / "whole")
    assert not [path.name for path in (tmp_path / "killed").iterdir() if path.name.startswith(".")]
