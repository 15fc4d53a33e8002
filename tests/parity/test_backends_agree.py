"""The three backends against each other; each runs in a process of its own."""

import contextlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tolerances
from networks import relative_difference
from waiting import FOR_EVER

BACKENDS = ("tensorflow", "torch", "jax")
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("backend_outputs.py")

pytestmark = [
    pytest.mark.parity,
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in BACKENDS),
        reason="needs TensorFlow, PyTorch and JAX",
    ),
]


def backend_outputs(backend, folder, golden):
    """A process that writes what a backend makes of the models of all."""
    return subprocess.Popen(
        [sys.executable, SCRIPT, folder, golden],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONPATH": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "2",
        },
    )


@pytest.fixture(scope="module")
def results(golden, tmp_path_factory):
    """What each backend computed with the models of all, `{backend: {name: array}}`."""
    folder = tmp_path_factory.mktemp("parity")
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(backend_outputs(name, folder, golden)) for name in BACKENDS]
        # Each reads when all have written.
        for process in running:
            assert "written\n" in iter(process.stdout.readline, "")
        for process in running:
            process.stdin.close()
        for process in running:
            process.stdout.read()
            assert process.wait(FOR_EVER) == 0
    return {name: dict(np.load(folder / f"results-{name}.npz")) for name in BACKENDS}


def pairs(results):
    first = results[BACKENDS[0]]
    for name in BACKENDS[1:]:
        yield first, results[name]


def test_a_model_computes_the_same_wherever_it_was_written_and_is_read(results):
    kinds = ("converted", "dilated", "fresh", "multi_scale", "trained")
    names = [f"residual/{kind}-{writer}" for kind in kinds for writer in BACKENDS]
    for first, other in pairs(results):
        for name in names:
            assert relative_difference(other[name], first[name]) < tolerances.OUTPUT, name


def test_a_seed_gives_the_same_initial_weights(results):
    for first, other in pairs(results):
        assert first.keys() == other.keys()
        for name in first:
            if name.startswith("initial/"):
                # Python's float64 draws, rounded once to float32.
                assert np.array_equal(first[name], other[name]), name


def test_a_seed_gives_the_same_samples(results):
    for first, other in pairs(results):
        assert np.array_equal(first["steps"], other["steps"])
        assert other["samples"] == pytest.approx(first["samples"], abs=tolerances.SAME_IMAGE)
    spread = np.ptp(results["jax"]["samples"], axis=0).mean()
    assert spread > 0.1, "the six samples must differ, or agreement says nothing"
