"""The number type of a training that is chosen by its first steps."""

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr import BFCNN, InputError
from keras_gahr.datasets.store import as_dataset
from keras_gahr.denoisers import PRECISIONS
from keras_gahr.training import RunConfig, faster_precision
from keras_gahr.training.config import read_options
from keras_gahr.training.faster_precision import FasterPrecision
from keras_gahr.training.faster_precision import faster_precision as choose

SMALL = {"epochs": 1, "images_per_epoch": 8, "batch_size": 4, "num_layers": 3, "num_kernels": 2}


@pytest.fixture
def images():
    return as_dataset(np.random.default_rng(0).random((8, 8, 8, 1), np.float32))


@pytest.fixture(autouse=True)
def with_bfloat16(monkeypatch):
    monkeypatch.setattr(faster_precision, "has_bfloat16", lambda: True)


@pytest.fixture
def steps(monkeypatch):
    """A function that sets the seconds of a step, and the losses, in bfloat16; in float32 they are 1."""

    def set_steps(seconds, losses):
        found = {"float32": (1.0, [1.0] * 4), "mixed_bfloat16": (seconds, losses)}
        monkeypatch.setattr(
            faster_precision, "_first_steps", lambda *arguments: found[arguments[-1]]
        )

    return set_steps


def config(**options):
    return RunConfig(architecture="bf-cnn", precision="auto", **SMALL, **options)


def chosen(images, **options):
    return choose(BFCNN(num_layers=3, num_kernels=2, seed=0), images, config(**options))


@pytest.mark.parametrize(
    ("seconds", "losses", "name"),
    [
        (0.5, [1.0, 1.01, 1.0, 1.01], "mixed_bfloat16"),
        (0.5, [1.0, 1.01, 1.0], "mixed_bfloat16"),
        (0.95, [1.0] * 4, "float32"),
        (0.5, [1.0, 1.05, 1.1, 1.2], "float32"),
        (0.5, [1.0, 1.0, np.nan, 1.0], "float32"),
    ],
)
def test_bfloat16_must_be_faster_and_follow(images, steps, seconds, losses, name):
    steps(seconds, losses)
    found = chosen(images)
    assert (found.name, found.time) == (name, seconds)
    assert f"{seconds:.2f}" in found.reason


def test_a_processor_without_it_is_not_measured(images, steps, monkeypatch):
    steps(None, None)
    monkeypatch.setattr(faster_precision, "has_bfloat16", lambda: False)
    assert chosen(images) == FasterPrecision(
        "float32", "this processor has no instructions for bfloat16"
    )


def test_several_devices_are_refused(images):
    with pytest.raises(InputError, match="auto for several devices"):
        chosen(images, devices=2)


def test_both_train_on_the_same_noise_and_leave_the_network_as_it_is(images):
    denoiser = BFCNN(num_layers=3, num_kernels=2, seed=0)
    before = denoiser.get_weights()
    found = choose(denoiser, images, config())
    assert found.time > 0
    assert 0 < found.difference < 0.02
    for weights, kept in zip(denoiser.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, kept)


@pytest.mark.one_backend
@pytest.mark.parametrize("name", PRECISIONS)
def test_a_training_takes_what_is_chosen_and_goes_on_with_it(images, monkeypatch, tmp_path, name):
    chosen = [name]
    monkeypatch.setattr(
        "keras_gahr.training.preparation.faster_precision",
        lambda *_: FasterPrecision(chosen.pop(), "as it is"),
    )
    out = tmp_path / "run"
    options = {"architecture": "bf-cnn", "precision": "auto", "progress": False, **SMALL}
    kg.train(images, out=out, **options)
    assert read_options(out / "config.json")["precision"] == name
    more = {**options, "epochs": 2}
    assert kg.train(images, out=out, resume=True, **more).epochs == 2
    assert read_options(out / "config.json")["precision"] == name
