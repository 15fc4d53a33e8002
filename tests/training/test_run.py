"""A training in its run directory."""

import csv
import dataclasses
import json
import math
import signal

import keras
import numpy as np
import pytest
from equal_runs import check_equal

from keras_gahr import BFCNN, InputError, UNet, load_denoiser
from keras_gahr.denoisers import DirectDenoiser, with_precision
from keras_gahr.noise import NoiseLaw
from keras_gahr.runs import find_runs
from keras_gahr.training import TrainingSettings, run_training
from keras_gahr.training import run as run_module
from keras_gahr.training.data.batches import TiledBatches
from keras_gahr.training.watch.checkpoint import DenoiserKeeper
from keras_gahr.training.watch.status import Status

SETTINGS = TrainingSettings(epochs=3, images_per_epoch=16, batch_size=8, learning_rate=3e-3)
HOPELESS = dataclasses.replace(SETTINGS, images_per_epoch=64, learning_rate=1e20)


def small():
    return BFCNN(num_layers=3, num_kernels=4, seed=0)


def test_a_run_keeps_model_history_and_configuration(tmp_path, smooth_images):
    images = smooth_images(20, 8, 12)
    denoiser = small()
    result = run_training(denoiser, images[:16], images[16:], SETTINGS, tmp_path / "run")

    assert result.signal is None
    assert not result.diverged
    rows = list(csv.DictReader((tmp_path / "run" / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [row["steps"] for row in rows] == ["2"] * 3
    assert all(math.isfinite(float(value)) for row in rows for value in row.values())
    # A tenth of three epochs is less than one: the rate is halved after each.
    rates = [float(row["learning_rate"]) for row in rows]
    assert rates == pytest.approx([3e-3, 1.5e-3, 0.75e-3])

    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["training"]["noise_law"] == {
        "name": "quadratic",
        "low": 0.0,
        "high": 1.0,
        "alpha": None,
    }
    assert config["denoiser"]["class"] == "BFCNN"
    assert config["backend"] == keras.backend.backend()

    loaded = load_denoiser(tmp_path / "run" / "model.keras")
    assert np.array_equal(loaded.predict_on_batch(images), denoiser.predict_on_batch(images))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "config.json",
        "events",
        "history.csv",
        "levels.csv",
        "model.keras",
        "state.safetensors",
        "status.json",
    ]


@pytest.mark.one_backend
def test_a_run_that_was_killed_at_its_start_is_replaced_when_asked(
    tmp_path, smooth_images, monkeypatch
):
    """Its directory says from the first moment whose it is."""
    images = smooth_images(20, 8, 8)
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "Session", killed)
        with pytest.raises(KeyboardInterrupt):
            run_training(small(), images[:16], images[16:], SETTINGS, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.json"]
    # What it leaves if it is killed while it writes its first state.
    (tmp_path / "run" / ".state-0123abcd.safetensors").touch()
    with pytest.raises(InputError, match="exists"):
        run_training(small(), images[:16], images[16:], SETTINGS, tmp_path / "run")
    result = run_training(
        small(), images[:16], images[16:], SETTINGS, tmp_path / "run", overwrite=True
    )
    assert result.state == "finished"


def killed(*arguments, **options):
    raise KeyboardInterrupt


@pytest.mark.one_backend
def test_training_helps(tmp_path, smooth_images):
    images = smooth_images(32, 8, 8)
    settings = TrainingSettings(
        epochs=8, images_per_epoch=256, batch_size=16, learning_rate=1e-2, halve_every=3
    )
    result = run_training(small(), images[:24], images[24:], settings, tmp_path / "run")
    first, last = result.history[0], result.history[-1]
    assert last["test_psnr"] > first["test_psnr"] + 1
    assert last["train_loss"] < 0.5 * first["train_loss"]


def test_one_seed_gives_one_result(tmp_path, smooth_images):
    images = smooth_images(16, 8, 8)
    outputs = []
    for run in ("a", "b"):
        denoiser = small()
        run_training(denoiser, images, images[:0], SETTINGS, tmp_path / run)
        outputs.append(denoiser.predict_on_batch(images))
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.one_backend)]
)
def test_a_signal_stops_after_the_step_and_keeps_the_model(
    tmp_path, smooth_images, monkeypatch, number
):
    images = smooth_images(16, 8, 8)
    from keras_gahr.training import session

    class SendSignal(session.History):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            if batch == 1:
                signal.raise_signal(number)

    monkeypatch.setattr(session, "History", SendSignal)
    before = signal.getsignal(number)
    settings = TrainingSettings(epochs=50, images_per_epoch=160, batch_size=8)
    denoiser = small()
    result = run_training(denoiser, images, images[:4], settings, tmp_path / "run")

    assert result.signal == number
    assert signal.getsignal(number) == before
    assert len(result.history) == 1
    assert 2 <= result.history[0]["steps"] < 20
    # No epoch is done.
    assert json.loads((tmp_path / "run" / "status.json").read_text())["epoch"] == 0
    loaded = load_denoiser(tmp_path / "run" / "model.keras")
    assert np.array_equal(loaded.predict_on_batch(images), denoiser.predict_on_batch(images))


def test_a_loss_that_is_not_finite_stops_the_training(tmp_path, smooth_images):
    images = smooth_images(16, 8, 8)
    result = run_training(small(), images, images[:0], HOPELESS, tmp_path / "run")
    assert result.diverged
    assert len(result.history) == 1
    assert not (tmp_path / "run" / "model.keras").exists()


@pytest.mark.one_backend
def test_a_network_that_begins_far_above_little_noise_is_trained(tmp_path, smooth_images):
    """Without a skip connection the loss begins at the energy of the images."""
    settings = dataclasses.replace(SETTINGS, epochs=1, noise_law=NoiseLaw(high=0.05))
    images = smooth_images(16, 8, 8)
    result = run_training(DirectDenoiser(small()), images, images[:0], settings, tmp_path / "run")
    assert result.history[0]["train_loss"] > 100 * 64 * settings.noise_law.mean_square()
    assert result.state == "finished"


def test_the_state_of_a_diverged_epoch_is_not_kept(tmp_path, smooth_images, monkeypatch):
    from keras_gahr.training import session

    monkeypatch.setattr(session, "_idle_loss", lambda *_: 1e-6)
    images, out = smooth_images(16, 8, 8), tmp_path / "run"
    assert run_training(small(), images, images[:0], SETTINGS, out).diverged
    assert not (out / "state.safetensors").exists()
    assert json.loads((out / "status.json").read_text())["epoch"] == 0


class FailsInEpoch2(keras.callbacks.Callback):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def on_train_batch_end(self, batch, logs=None):
        if self._epoch == 1:
            raise self.error

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("error", "state"), [(ZeroDivisionError(), "failed"), (KeyboardInterrupt(), "stopped")]
)
def test_a_training_that_an_error_ended_does_not_run(tmp_path, smooth_images, error, state):
    """Though the process lives on, as in a notebook."""
    images, out, whole = smooth_images(20, 8, 8), tmp_path / "run", tmp_path / "whole"
    expected = run_training(small(), images[:16], images[16:], SETTINGS, whole)
    with pytest.raises(type(error)):
        callbacks = [FailsInEpoch2(error)]
        run_training(small(), images[:16], images[16:], SETTINGS, out, callbacks=callbacks)
    (run,) = find_runs(out)
    assert (run.state, run.epoch, run.epochs) == (state, 1, 3)
    assert json.loads((out / "status.json").read_text())["kept_epoch"] == 1
    found = run_training(small(), images[:16], images[16:], SETTINGS, out, resume=True)
    assert find_runs(out)[0].state == "finished"
    check_equal(out, whole, found, expected)


@pytest.mark.one_backend
def test_a_full_disk_hides_no_error(tmp_path, smooth_images, monkeypatch):
    def write(self, state, epoch=None):
        if state == "failed":
            raise InputError("the disk is full")

    monkeypatch.setattr(Status, "write", write)
    images, callbacks = smooth_images(16, 8, 8), [FailsInEpoch2(ZeroDivisionError())]
    with pytest.raises(ZeroDivisionError):
        run_training(small(), images, images[:0], SETTINGS, tmp_path / "run", callbacks=callbacks)


def test_a_checkpoint_keeps_the_last_good_model(tmp_path):
    class Model:
        denoiser = small()
        stop_training = False

    batches = TiledBatches(np.zeros((8, 8, 8, 1), np.float32), 8, 8, 0)
    checkpoint = DenoiserKeeper(tmp_path / "model.keras", Model.denoiser, batches, idle_loss=12.8)
    checkpoint.set_model(Model())
    checkpoint.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    good = (tmp_path / "model.keras").read_bytes()
    for logs in (
        {"loss": math.nan, "val_loss": 2.0},
        {"loss": 1.0, "val_loss": math.inf},
        {"loss": 200.0},
    ):
        checkpoint.on_epoch_end(1, logs)
        assert checkpoint.diverged
        assert (tmp_path / "model.keras").read_bytes() == good


@pytest.mark.one_backend
def test_a_run_is_only_replaced_whole_and_when_asked(tmp_path, smooth_images):
    images, out = smooth_images(16, 8, 8), tmp_path / "run"
    run_training(small(), images, images[:4], SETTINGS, out)
    with pytest.raises(InputError, match="exists"):
        run_training(small(), images, images[:4], SETTINGS, out)
    run_training(small(), images, images[:0], HOPELESS, out, overwrite=True)
    # The older run's model must not pass for this one's.
    assert not (out / "model.keras").exists()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt"):
        run_training(small(), images, images[:0], SETTINGS, out, overwrite=True)


@pytest.mark.one_backend
@pytest.mark.parametrize(("count", "batch_size", "steps"), [(9, 8, 2), (3, 2, 1), (5, 2, 2)])
def test_a_single_image_left_over_is_trained_on(tmp_path, smooth_images, count, batch_size, steps):
    images = smooth_images(count, 16, 16)
    settings = TrainingSettings(epochs=1, images_per_epoch=count, batch_size=batch_size)
    denoiser = UNet(num_blocks=1, num_kernels=64, seed=0)
    result = run_training(denoiser, images, images[:0], settings, tmp_path / "run")
    assert result.history[0]["steps"] == steps


@pytest.mark.one_backend
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_one_small_image_at_a_time(tmp_path, smooth_images, precision):
    """PyTorch's own convolution to one channel cannot on a CPU up to 17x17 pixels, from 64 kernels."""
    images = smooth_images(3, 16, 16)
    denoiser = with_precision(BFCNN(num_layers=3, num_kernels=64, seed=0), precision)
    settings = TrainingSettings(epochs=1, images_per_epoch=3, batch_size=1)
    result = run_training(denoiser, images, images[:0], settings, tmp_path / "run")
    assert result.history[0]["steps"] == 3


def test_images_that_do_not_fit_are_refused_before_anything_is_written(tmp_path, smooth_images):
    out = tmp_path / "run"
    denoiser = UNet(num_blocks=1, num_kernels=4, seed=0)
    for images, says in (
        (smooth_images(4, 9, 8), "multiples of 2"),
        (smooth_images(4, 8, 8, 3), "3 channel"),
        (smooth_images(4, 8, 8)[:0], "no training images"),
        (np.full((4, 8, 8, 1), np.nan, np.float32), "NaN"),
    ):
        with pytest.raises(InputError, match=says):
            run_training(denoiser, images, images[:0], SETTINGS, out)
        assert not out.exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 0},
        {"batch_size": -1},
        {"learning_rate": math.nan},
        {"learning_rate": 10**400},
        {"epochs": 10**30},
        {"images_per_epoch": 0},
        {"seed": -1},
    ],
)
def test_settings_must_be_positive(settings):
    with pytest.raises(InputError):
        TrainingSettings(**settings)


def test_noise_laws_are_checked():
    for law in (
        ("cubic",),
        (["linear"],),
        ("linear", 0.5, 0.1),
        ("linear", -0.1, 1),
        ("linear", 0, 0),
        ("linear", 0, 1, 2),
        ("inv",),
        ("inv_sq", 0, 1),
        ("inv_1p5", 0, 1),
        ("power_law",),
        ("power_law", 0, 1, 0),
        ("power_law", 0, 1, "2"),
        ("power_law", 0, 1, -1),
        ("power_law", 0.1, 1, 1e6),
    ):
        with pytest.raises(InputError):
            NoiseLaw(*law)
