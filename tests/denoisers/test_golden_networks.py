"""Every network against outputs and gradients of the published code."""

import keras
import numpy as np
import pytest
import tolerances
from keras import ops
from networks import NETWORKS, from_checkpoint, from_state, nhwc, relative_difference, weight_of

from keras_gahr import _backend
from keras_gahr.training import BlindTraining
from weights_convert import read_checkpoint
from weights_convert.layouts import paper_unet
from weights_convert.reference import operations


class KeepGradients(keras.optimizers.Optimizer):
    """Puts each gradient where its variable was, so that stock training shows it exactly."""

    def update_step(self, gradient, variable, learning_rate):
        self.assign(variable, gradient)


ALIKE = {"unet_2block", "unet_3block", "bf_cnn_20_linear", "bf_cnn_rf43"}


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_in_evaluation_and_training_mode(golden, golden_index, name):
    denoiser, plan = from_checkpoint(golden / f"{name}.pt")
    arrays = np.load(golden / f"{name}.npz")
    assert denoiser.num_parameters == golden_index[name]["params"]
    noisy = nhwc(arrays["noisy"])

    found = denoiser.predict_on_batch(noisy)
    assert relative_difference(found, nhwc(arrays["eval_output"])) < tolerances.OUTPUT

    found = ops.convert_to_numpy(ops.stop_gradient(denoiser(noisy, training=True)))
    bound = tolerances.OUTPUT_RF9_TRAINING if name == "bf_cnn_rf9" else tolerances.OUTPUT
    assert relative_difference(found, nhwc(arrays["train_output"])) < bound

    for key, entry in plan.entries.items():
        if entry.weight == "running_sd":
            found = ops.convert_to_numpy(weight_of(denoiser, entry).value)
            expected = entry.transform(arrays[f"running_sd_after/{key}"])
            assert relative_difference(found, expected) < tolerances.RUNNING_SD


@pytest.mark.parametrize("name", NETWORKS)
def test_training_mode_against_float64(golden, monkeypatch, name):
    """What separates rounding from mistakes: both we and the published code are near the exact output."""

    def training_scale(x, gammas, deviations):
        variance = x.var(axis=(0, 2, 3), keepdims=True)
        return x * gammas.astype(np.float64) / np.sqrt(variance + 1e-5)

    monkeypatch.setattr(operations, "scale", training_scale)
    denoiser, plan = from_checkpoint(golden / f"{name}.pt")
    arrays = np.load(golden / f"{name}.npz")
    *_, (_, exact) = plan.reference(read_checkpoint(golden / f"{name}.pt"), arrays["noisy"])
    found = denoiser(nhwc(arrays["noisy"]), training=True)
    found = ops.convert_to_numpy(ops.stop_gradient(found))
    assert relative_difference(found, nhwc(exact)) < tolerances.OUTPUT
    assert relative_difference(arrays["train_output"], exact) < tolerances.OUTPUT


# Those that are alike have the layers of another one.
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in ALIKE else name for name in NETWORKS],
)
def test_gradients_of_the_training_loss(golden, name):
    denoiser, plan = from_checkpoint(golden / f"{name}.pt")
    arrays = np.load(golden / f"{name}.npz")
    noisy, clean = nhwc(arrays["noisy"]), nhwc(arrays["clean"])
    model = BlindTraining(denoiser)
    model.compile(KeepGradients(1.0), jit_compile=_backend.jit_compile())
    batch = {"clean": clean, "noise": noisy - clean}
    loss = model.train_on_batch(batch, return_dict=True)["loss"]

    assert loss == pytest.approx(float(arrays["train_loss"]), rel=tolerances.OUTPUT)
    for key, entry in plan.entries.items():
        if entry.weight != "running_sd":
            found = ops.convert_to_numpy(weight_of(denoiser, entry).value)
            expected = entry.transform(arrays[f"grad/{key}"])
            assert relative_difference(found, expected) < tolerances.GRADIENT, key


def test_the_full_size_unet(golden):
    arrays = np.load(golden / "unet_full_recipe.npz")
    denoiser = from_state(recipe_state(int(arrays["recipe_seed"])))
    assert denoiser.num_parameters == 7_659_264
    found = denoiser.predict_on_batch(nhwc(arrays["noisy"]))
    assert relative_difference(found, nhwc(arrays["eval_output"])) < tolerances.OUTPUT


def recipe_state(seed):
    """The weights of the full-size golden UNet: each from a generator keyed by (seed, name)."""
    state = {}
    for key, entry in paper_unet.entries(1, 3, 64, 2, 2, 2).items():
        generator = np.random.default_rng([seed, *key.encode()])
        if entry.weight == "kernel":
            scale = np.sqrt(2 / np.prod(entry.shape[1:]))
            state[key] = generator.standard_normal(entry.shape) * scale
        else:
            state[key] = generator.uniform(0.5, 1.5, entry.shape)
        state[key] = state[key].astype(np.float32)
    return state
