"""Comparing runs that must have ended alike."""

import numpy as np

from keras_gahr import load_denoiser
from keras_gahr.training.resume.state import read_state
from keras_gahr.training.watch.history import read_history


def without_seconds(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def check_equal(out, reference, found, expected):
    """A run ended as the one that was never stopped, bit for bit."""
    assert without_seconds(found.history) == without_seconds(expected.history)
    check_equal_files(out, reference)


def check_equal_files(out, reference):
    """The history, the state and the model of two runs that are over are the same, bit for bit."""
    history, other_history = (
        without_seconds(read_history(f / "history.csv")) for f in (out, reference)
    )
    assert history == other_history
    (arrays, record), (others, other) = (
        read_state(f / "state.safetensors") for f in (out, reference)
    )
    assert (record["epoch"], record["step"]) == (other["epoch"], other["step"])
    assert (record["epoch"], record["step"]) == (len(history), 0)
    for array, other in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(array, other)
    weights, other_weights = (
        load_denoiser(f / "model.keras").get_weights() for f in (out, reference)
    )
    for array, other in zip(weights, other_weights, strict=True):
        np.testing.assert_array_equal(array, other)
