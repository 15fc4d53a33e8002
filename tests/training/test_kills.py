"""Trainings in processes that are killed at random moments."""

import csv
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from waiting import FOR_EVER

from keras_gahr import load_denoiser
from keras_gahr.training.state import read_state

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("killed_training.py")
BACKENDS = [b for b in ("tensorflow", "torch", "jax") if importlib.util.find_spec(b)]
KILLS = 20


def rows(out):
    with (out / "history.csv").open() as file:
        return [{**row, "seconds": None} for row in csv.DictReader(file)]


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_training_killed_many_times_ends_as_one_left_in_peace(tmp_path, backend):
    """Bit for bit: the weights, the optimizer, the random generators and the history."""
    command = [sys.executable, SCRIPT, tmp_path, KILLS, 0]
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
    assert early >= 2 and amid >= KILLS // 2, result.stdout

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    assert rows(killed) == rows(whole)
    (arrays, record), (others, other) = (
        read_state(f / "state.safetensors") for f in (killed, whole)
    )
    assert (record["epoch"], record["step"]) == (other["epoch"], other["step"]) == (5, 0)
    models = [load_denoiser(f / "model.keras").get_weights() for f in (killed, whole)]
    for found, expected in zip((*arrays, *models[0]), (*others, *models[1]), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not [path.name for path in killed.iterdir() if path.name.startswith(".")]
