"""Twenty steps of training against the published code, with its noise."""

import keras
import numpy as np
import pytest
import tolerances
from keras import ops
from networks import from_state, nhwc, weight_of

from keras_gahr import _backend
from keras_gahr.training import Adam, BlindTraining
from weights_convert.layouts import paper_unet

ENTRIES = paper_unet.entries(1, 2, 8, 2, 2, 2)


class GoldenBatches(keras.utils.PyDataset):
    """The batches of the golden run: data[16 t : 16 t + 16], modulo 256, with noise[t]."""

    def __init__(self, data, noise):
        super().__init__()
        self.data, self.noise = data, noise

    def __len__(self):
        return len(self.noise)

    def __getitem__(self, t):
        clean = np.take(self.data, range(16 * t, 16 * t + 16), axis=0, mode="wrap")
        return {"clean": clean, "noise": self.noise[t]}


class Losses(keras.callbacks.Callback):
    """The loss of each step, from the running mean that Keras reports."""

    def on_train_begin(self, logs=None):
        self.sums = [0.0]

    def on_train_batch_end(self, batch, logs=None):
        self.sums.append(float(logs["loss"]) * (batch + 1))

    @property
    def losses(self):
        return np.diff(self.sums)


def run(golden, name, learning_rate):
    """The trained network, its losses and the golden arrays."""
    data = nhwc(np.load(golden / "train_20_steps.npz")["data"])
    arrays = np.load(golden / f"{name}.npz")
    denoiser = from_state({key: arrays[f"init/{key}"] for key in ENTRIES})
    model = BlindTraining(denoiser)
    model.compile(Adam(learning_rate), jit_compile=_backend.jit_compile())
    losses = Losses()
    batches = GoldenBatches(data, nhwc(arrays["noise"]))
    model.fit(batches, shuffle=False, callbacks=[losses], verbose=0)
    return denoiser, losses.losses, arrays


@pytest.fixture(params=["own", "tiles"])
def convolutions(request, monkeypatch):
    """Those of the backend, or by Winograd's algorithm, though these networks are too small to gain by it."""
    backend = keras.backend.backend()
    if request.param == "own":
        return
    if backend == "torch":
        from keras_gahr._backend.convolution import torch_gradient, winograd

        for name in ("way_to_convolve", "way_to_gradient"):
            monkeypatch.setattr(torch_gradient, name, lambda *shapes: winograd.name_of(4))
    elif backend == "jax":
        from keras_gahr._backend.convolution import jax_tiles

        monkeypatch.setattr(jax_tiles, "tile_side", lambda *shapes: 4)
    else:
        from keras_gahr._backend.convolution import tensorflow_tiles

        for name in ("tile_side", "_side"):
            monkeypatch.setattr(tensorflow_tiles, name, lambda *shapes: 4)


@pytest.mark.usefixtures("convolutions")
def test_warm_start(golden):
    denoiser, losses, arrays = run(golden, "train_20_steps_warm", 1e-4)
    # The mean that Keras keeps is float32: its rounding is seen in the last of 20 differences.
    assert losses == pytest.approx(arrays["loss"], rel=tolerances.WARM_LOSS)
    for key, entry in ENTRIES.items():
        initial, final = (entry.transform(arrays[f"{part}/{key}"]) for part in ("init", "final"))
        found = ops.convert_to_numpy(weight_of(denoiser, entry).value)
        if entry.weight == "running_sd":
            assert found == pytest.approx(final, rel=tolerances.WARM_RUNNING_SD), key
        else:
            error = np.linalg.norm(found - final) / np.linalg.norm(final - initial)
            assert error < tolerances.WARM_CHANGE, key


@pytest.mark.usefixtures("convolutions")
def test_cold_start(golden):
    _, losses, arrays = run(golden, "train_20_steps", 1e-3)
    assert losses == pytest.approx(arrays["loss"], rel=tolerances.COLD_LOSS)


@pytest.mark.slow
def test_the_place_of_epsilon_matters(golden, monkeypatch):
    """Negative control: Keras' own Adam, whose epsilon is in another place, is told apart."""
    monkeypatch.setattr(Adam, "update_step", keras.optimizers.Adam.update_step)
    _, losses, arrays = run(golden, "train_20_steps", 1e-3)
    assert losses != pytest.approx(arrays["loss"], rel=tolerances.COLD_LOSS)
