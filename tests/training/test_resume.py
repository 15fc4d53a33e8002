"""A training that goes on as if nothing had happened."""

import dataclasses
import errno
import json
import os

import numpy as np
import pytest
from equal_runs import check_equal
from stopped_runs import stop_after

from keras_gahr import BFCNN, InputError, load_denoiser
from keras_gahr.noise import NoiseLaw
from keras_gahr.training import TrainingSettings, run_training, session
from keras_gahr.training.data.batches import TiledBatches
from keras_gahr.training.resume import state
from keras_gahr.training.resume.identity import identity_of
from keras_gahr.training.resume.state import read_state, write_state

SETTINGS = TrainingSettings(epochs=3, images_per_epoch=64, batch_size=8, learning_rate=3e-3)


def small(seed=0):
    return BFCNN(num_layers=3, num_kernels=4, seed=seed)


def run(out, images, settings=SETTINGS, seed=0, **options):
    return run_training(small(seed), images[:16], images[16:], settings, out, **options)


@pytest.mark.parametrize(
    ("steps", "changes"),
    [
        pytest.param(5, {}, marks=pytest.mark.one_backend),
        pytest.param(
            8,
            {"schedule": "cosine", "optimizer": "adamw", "weight_decay": 0.01, "clip_norm": 1.0},
            marks=pytest.mark.one_backend,
        ),
        (11, {"ema": 0.9, "schedule": "cosine", "patience": 2}),
    ],
)
def test_a_stopped_training_ends_as_one_that_was_not(
    tmp_path, smooth_images, monkeypatch, steps, changes
):
    """Stopped within an epoch, at its last step, and with everything that has a state of its own."""
    images = smooth_images(20, 8, 8)
    settings = dataclasses.replace(SETTINGS, **changes)
    expected = run(tmp_path / "whole", images, settings)
    assert expected.state == "finished"

    with monkeypatch.context() as patch:
        stop_after(patch, steps)
        stopped = run(tmp_path / "run", images, settings)
    assert stopped.state == "stopped"
    # Whoever stops a training waits for it: only whole epochs are evaluated at all levels.
    whole = {row["epoch"] for row in stopped.history if row["steps"] == 8}
    assert {row["epoch"] for row in stopped.levels} == whole
    # Other initial weights: what counts is the state.
    found = run(tmp_path / "run", images, settings, resume=True)
    assert found.state == "finished"
    check_equal(tmp_path / "run", tmp_path / "whole", found, expected)


@pytest.mark.one_backend
def test_a_finished_training_can_be_made_longer(tmp_path, smooth_images):
    images = smooth_images(20, 8, 8)
    settings = dataclasses.replace(SETTINGS, halve_every=1)
    expected = run(tmp_path / "whole", images, settings)
    options = {"dataset": "mine"}
    run(tmp_path / "run", images, dataclasses.replace(settings, epochs=2), options=options)
    found = run(tmp_path / "run", images, settings, resume=True)
    check_equal(tmp_path / "run", tmp_path / "whole", found, expected)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["training"]["epochs"] == 3
    assert config["options"] == options
    again = run(tmp_path / "run", images, settings, resume=True)
    assert again.state == "finished"
    assert again.history == found.history


@pytest.mark.one_backend
@pytest.mark.parametrize("said", [False, True])
@pytest.mark.parametrize("steps", [1, 3])
def test_an_epoch_keeps_its_number_of_steps(tmp_path, smooth_images, monkeypatch, steps, said):
    """Of 17 images in batches of 8, the last of which took the single image that is left over."""
    images = smooth_images(21, 8, 8)
    settings = dataclasses.replace(SETTINGS, images_per_epoch=17, schedule="cosine", ema=0.9)

    def train(out, **options):
        return run_training(small(), images[:17], images[17:], settings, out, **options)

    with monkeypatch.context() as patch:
        patch.setattr(TiledBatches, "_fewest", lambda batches: 2)
        expected = train(tmp_path / "whole")
        stop_after(patch, steps)
        assert train(tmp_path / "run").state == "stopped"
    path = tmp_path / "run" / "state.safetensors"
    arrays, record = read_state(path)
    assert record.pop("steps_per_epoch") == 2
    if not said:
        write_state(path, arrays, record)
    found = train(tmp_path / "run", resume=True)
    assert [row["steps"] for row in found.history] == [2, 2, 2]
    check_equal(tmp_path / "run", tmp_path / "whole", found, expected)
    assert read_state(path)[1]["steps_per_epoch"] == 2
    assert train(tmp_path / "new").history[0]["steps"] == 3


@pytest.mark.one_backend
def test_a_run_only_goes_on_as_what_it_was(tmp_path, smooth_images):
    images, out = smooth_images(20, 8, 8), tmp_path / "run"
    settings = dataclasses.replace(SETTINGS, epochs=1)
    with pytest.raises(InputError, match="holds no run"):
        run(out, images, settings, resume=True)
    run(out, images, settings)
    before = (out / "state.safetensors").read_bytes()
    with pytest.raises(InputError, match="--resume"):
        run(out, images, settings)
    for changes, says in (
        ({"batch_size": 4}, r"batch_size \(training\): it had 8, received 4"),
        ({"seed": 3}, "seed"),
    ):
        with pytest.raises(InputError, match=says):
            run(out, images, dataclasses.replace(settings, **changes), resume=True)
    with pytest.raises(InputError, match="other test images"):
        run(out, images[::-1], settings, resume=True)
    with pytest.raises(InputError, match="num_kernels"):
        run_training(
            BFCNN(num_layers=3, num_kernels=2, seed=0),
            images[:16],
            images[16:],
            settings,
            out,
            resume=True,
        )
    assert (out / "state.safetensors").read_bytes() == before


@pytest.mark.one_backend
def test_a_law_is_told_as_it_was_before_any_had_a_power(smooth_images):
    """A run that began then goes on."""
    images = smooth_images(2, 8, 8)
    laws = [NoiseLaw(), NoiseLaw("power_law", alpha=3.0)]
    told = [
        identity_of(small(), dataclasses.replace(SETTINGS, noise_law=law), images, images)
        for law in laws
    ]
    first, second = (each["training"]["noise_law"] for each in told)
    assert first == {"name": "quadratic", "low": 0.0, "high": 1.0}
    assert second == {**first, "name": "power_law", "alpha": 3.0}


@pytest.mark.one_backend
def test_a_damaged_state_is_refused_and_left(tmp_path, smooth_images):
    images, out = smooth_images(20, 8, 8), tmp_path / "run"
    settings = dataclasses.replace(SETTINGS, epochs=1)
    run(out, images, settings)
    path = out / "state.safetensors"
    good = path.read_bytes()
    flipped = bytearray(good)
    flipped[-5] ^= 1
    for bad in (
        b"",
        good[:100],
        good[:-8],
        bytes(flipped),
        b"\xff" * 64,
        good.replace(b'"epoch', b'"epoxy'),
    ):
        path.write_bytes(bad)
        with pytest.raises(InputError, match="damaged"):
            run(out, images, settings, resume=True)
        assert path.read_bytes() == bad
    path.unlink()
    with pytest.raises(InputError, match=r"not there, and .*model.keras alone.*--start-from"):
        run(out, images, settings, resume=True)
    (out / "model.keras").unlink()
    with pytest.raises(InputError, match=r"not there.*--overwrite"):
        run(out, images, settings, resume=True)


@pytest.mark.one_backend
def test_a_full_disk_leaves_the_state_before(tmp_path, monkeypatch):
    path = tmp_path / "state.safetensors"
    write_state(path, [np.arange(5.0)], {"epoch": 1})

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(state.os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        write_state(path, [np.arange(6.0)], {"epoch": 2})
    arrays, record = read_state(path)
    assert record == {"epoch": 1}
    assert np.array_equal(arrays[0], np.arange(5.0))
    assert [item.name for item in tmp_path.iterdir()] == ["state.safetensors"]


@pytest.mark.one_backend
def test_one_process_at_a_time_has_a_run(tmp_path, smooth_images):
    from keras_gahr.files import locked

    images, out = smooth_images(20, 8, 8), tmp_path / "run"
    settings = dataclasses.replace(SETTINGS, epochs=1)
    run(out, images, settings)
    with locked(out), pytest.raises(InputError, match="another process"):
        run(out, images, settings, resume=True)


@pytest.mark.one_backend
def test_patience_keeps_the_best_model(tmp_path, smooth_images, monkeypatch):
    losses = [5.0, 3.0, 4.0, 3.0, 1.0]

    class Judged(session.DenoiserKeeper):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, {**logs, "val_loss": losses[epoch]})
            if epoch == 1:
                (tmp_path / "best").write_bytes(self.path.read_bytes())

    monkeypatch.setattr(session, "DenoiserKeeper", Judged)
    images, out = smooth_images(20, 8, 8), tmp_path / "run"
    settings = dataclasses.replace(SETTINGS, epochs=5, patience=2)
    denoiser = small()
    result = run_training(denoiser, images[:16], images[16:], settings, out)
    assert result.state == "early stop"
    assert len(result.history) == 4
    assert (out / "model.keras").read_bytes() == (tmp_path / "best").read_bytes()
    best = load_denoiser(out / "model.keras").get_weights()
    for found, expected in zip(denoiser.get_weights(), best, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert json.loads((out / "status.json").read_text())["state"] == "early stop"
    assert run(out, images, settings, resume=True).history == result.history
    with pytest.raises(InputError, match="test images"):
        run_training(small(), images, images[:0], settings, tmp_path / "other")


@pytest.mark.one_backend
def test_the_average_is_what_is_tested_and_kept(tmp_path, smooth_images):
    images, out = smooth_images(20, 8, 8), tmp_path / "run"
    settings = dataclasses.replace(SETTINGS, epochs=1, ema=0.5)
    denoiser = small()
    result = run_training(denoiser, images[:16], images[16:], settings, out)
    kept = load_denoiser(out / "model.keras")
    for found, expected in zip(kept.get_weights(), denoiser.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    raw = small()
    other = run_training(
        raw, images[:16], images[16:], dataclasses.replace(settings, ema=None), tmp_path / "b"
    )
    assert other.history[0]["train_loss"] == result.history[0]["train_loss"]
    assert other.history[0]["test_loss"] != result.history[0]["test_loss"]
    for found, expected in zip(raw.trainable_variables, denoiser.trainable_variables, strict=True):
        assert not np.array_equal(np.asarray(found), np.asarray(expected))


@pytest.mark.parametrize(
    "wrong",
    [{"optimizer": "adahessian"}, {"schedule": "step"}, {"precision": "float16"}, {"ema": 1.0}],
)
def test_unknown_names_are_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        TrainingSettings(**wrong)


@pytest.mark.parametrize(
    ("epochs", "halvings"), [(5, 1), (10, 1), (15, 2), (20, 2), (29, 3), (1000, 100)]
)
def test_the_rate_is_halved_ten_times_at_most(epochs, halvings):
    assert TrainingSettings(epochs=epochs).halve_every == halvings
