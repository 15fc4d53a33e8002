"""Every network against outputs and gradients of the published code."""

import functools
import itertools

import keras
import numpy as np
import pytest
import tolerances
from keras import ops
from networks import (
    FLEXIBLE,
    NETWORKS,
    from_checkpoint,
    from_state,
    nhwc,
    relative_difference,
    weight_of,
)

from keras_gahr import _backend
from keras_gahr.training import BlindTraining
from weights_convert import read_checkpoint
from weights_convert.layouts import paper_unet
from weights_convert.reference import operations


class KeepGradients(keras.optimizers.Optimizer):
    """Puts each gradient where its variable was, so that stock training shows it exactly."""

    def update_step(self, gradient, variable, learning_rate):
        self.assign(variable, gradient)


ALIKE = {
    "unet_2block",
    "unet_3block",
    "unet_3block_rgb",
    "bf_cnn_20_linear",
    "bf_cnn_rf43",
    "unet_flex_batch_gray",
}


def unlike(names, mark):
    """The names; those of `ALIKE` have the layers of another one, and this mark."""
    return [pytest.param(name, marks=mark) if name in ALIKE else name for name in names]


@pytest.mark.parametrize("name", [*NETWORKS, *FLEXIBLE])
def test_outputs_in_evaluation_mode(golden, golden_index, name):
    denoiser, _ = from_checkpoint(golden / f"{name}.pt")
    arrays = np.load(golden / f"{name}.npz")
    assert denoiser.num_parameters == golden_index[name]["params"]
    found = denoiser.predict_on_batch(nhwc(arrays["noisy"]))
    assert relative_difference(found, nhwc(arrays["eval_output"])) < tolerances.OUTPUT


@pytest.mark.parametrize("name", unlike([*NETWORKS, *FLEXIBLE], pytest.mark.one_backend))
def test_outputs_in_training_mode(golden, name):
    denoiser, plan = from_checkpoint(golden / f"{name}.pt")
    arrays = np.load(golden / f"{name}.npz")
    found = denoiser(nhwc(arrays["noisy"]), training=True)
    found = ops.convert_to_numpy(ops.stop_gradient(found))
    bound = tolerances.OUTPUT_RF9_TRAINING if name == "bf_cnn_rf9" else tolerances.OUTPUT
    assert relative_difference(found, nhwc(arrays["train_output"])) < bound

    for key, entry in plan.entries.items():
        if entry.weight == "running_sd":
            found = ops.convert_to_numpy(weight_of(denoiser, entry).value)
            expected = entry.transform(arrays[f"running_sd_after/{key}"])
            assert relative_difference(found, expected) < tolerances.RUNNING_SD


@pytest.mark.parametrize("name", unlike(NETWORKS, pytest.mark.one_backend))
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


def gates(denoiser):
    """Its layers whose derivative jumps at 0, in order."""
    return [layer for layer in denoiser.layers if isinstance(layer, keras.layers.ReLU)]


def called_with(layer, change):
    """Lets a function change what enters a layer."""
    call = layer.call
    layer.call = lambda inputs: call(change(inputs))


def near_zero(inputs):
    """Where rounding decides on which side of 0 an input of a gate is."""
    size = ops.abs(inputs)
    return (size > 0) & (size < tolerances.GATE * ops.std(inputs))


def undecided_gates(golden, name):
    """Places of the gates that have such inputs."""
    denoiser, _ = from_checkpoint(golden / f"{name}.pt")
    noisy = nhwc(np.load(golden / f"{name}.npz")["noisy"])
    found = []
    for place, layer in enumerate(gates(denoiser)):

        def look(inputs, place=place):
            if ops.any(near_zero(inputs)):
                found.append(place)
            return inputs

        called_with(layer, look)
    denoiser(noisy, training=True)
    return found


def opened(inputs, direction):
    """With all that is near 0 hardly on one side of it."""
    moved = ops.where(near_zero(inputs), direction * 1e-12 - inputs, 0.0)
    return inputs + ops.stop_gradient(moved)


def gradient_differences(golden, name, directions=None):
    """By each weight's name, of the gradient of the training loss; gates that are undecided can be moved.

    Args:
        directions: of gates by their places, 1 to open what is undecided there and -1 to close it.
    """
    denoiser, plan = from_checkpoint(golden / f"{name}.pt")
    for place, direction in (directions or {}).items():
        called_with(gates(denoiser)[place], functools.partial(opened, direction=direction))
    arrays = np.load(golden / f"{name}.npz")
    noisy, clean = nhwc(arrays["noisy"]), nhwc(arrays["clean"])
    model = BlindTraining(denoiser)
    model.compile(KeepGradients(1.0), jit_compile=_backend.jit_compile())
    batch = {"clean": clean, "noise": noisy - clean}
    loss = model.train_on_batch(batch, return_dict=True)["loss"]
    assert loss == pytest.approx(float(arrays["train_loss"]), rel=tolerances.OUTPUT)
    return {
        key: relative_difference(
            ops.convert_to_numpy(weight_of(denoiser, entry).value),
            entry.transform(arrays[f"grad/{key}"]),
        )
        for key, entry in plan.entries.items()
        if entry.weight != "running_sd"
    }


def differences_on_all_sides(golden, name, places):
    """`gradient_differences` for each way in which these gates may be open or closed."""
    return [
        gradient_differences(golden, name, dict(zip(places, directions, strict=True)))
        for directions in itertools.product((1, -1), repeat=len(places))
    ]


@pytest.mark.parametrize("name", unlike([*NETWORKS, *FLEXIBLE], pytest.mark.slow))
def test_gradients_of_the_training_loss(golden, name):
    """With gates as the published code had them, which were not recorded."""
    found = gradient_differences(golden, name)
    if max(found.values()) >= tolerances.GRADIENT:
        places = undecided_gates(golden, name)
        assert 0 < len(places) <= 3, found
        tried = differences_on_all_sides(golden, name, places)
        found = min(tried, key=lambda differences: max(differences.values()))
    assert max(found.values()) < tolerances.GRADIENT, found


@pytest.mark.one_backend
def test_a_gate_on_the_other_side_is_a_larger_difference(golden):
    """Negative control: what is undecided is not simply passed over."""
    places = undecided_gates(golden, "bf_cnn_rf9")
    assert places
    tried = [max(each.values()) for each in differences_on_all_sides(golden, "bf_cnn_rf9", places)]
    assert min(tried) < tolerances.GRADIENT < max(tried)


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
