"""The PSNR that the card of a run gives is that of the weights that the run has kept."""

import dataclasses
import json
import math
import re

import pytest
from stopped_runs import stop_after

from keras_gahr import BFCNN, InputError, load_denoiser
from keras_gahr.publishing.card import card_text
from keras_gahr.runs.facts import read_runs
from keras_gahr.runs.report import run_report
from keras_gahr.training import ClockSettings, TrainingSettings, run_training, session
from keras_gahr.training.clock import Look
from keras_gahr.training.resume.state import read_state, write_state
from keras_gahr.training.watch.levels import LevelRecorder

pytestmark = pytest.mark.one_backend

SETTINGS = TrainingSettings(epochs=3, images_per_epoch=64, batch_size=8, learning_rate=3e-3)


@pytest.fixture
def images(smooth_images):
    return smooth_images(20, 8, 8)


@pytest.fixture
def judged(monkeypatch):
    """A function that says what test losses the epochs of trainings have from now on."""

    def judge(losses):
        def of(kind):
            class Judged(kind):
                def on_epoch_end(self, epoch, logs=None):
                    super().on_epoch_end(epoch, {**logs, "val_loss": losses[epoch]})

            return Judged

        for name in ("History", "DenoiserKeeper"):
            monkeypatch.setattr(session, name, of(getattr(session, name)))

    return judge


def run(out, images, clock=None, resume=False, **changes):
    settings = dataclasses.replace(SETTINGS, **changes)
    denoiser = BFCNN(num_layers=3, num_kernels=4, seed=0)
    return run_training(
        denoiser, images[:16], images[16:], settings, out, clock=clock, resume=resume
    )


def psnr_of_model(folder, images):
    """What is measured anew of the file, on test images: {sigma: dB}."""
    denoiser = load_denoiser(folder / "model.keras")
    recorder = LevelRecorder(
        folder.parent / "anew.csv",
        images[:16],
        images[16:],
        seed=SETTINGS.seed,
        denoiser=lambda: denoiser,
    )
    recorder.on_epoch_end(0)
    return {row["sigma"]: row["psnr"] for row in recorder.rows if row["set"] == "test"}


def facts_of(folder):
    (facts,) = read_runs([folder])
    return facts


def card_of(folder):
    denoiser = load_denoiser(folder / "model.keras")
    return card_text(denoiser, "faces", [], facts_of(folder))


def forget(folder):
    """Makes the status that of a version which did not note the epoch."""
    status = json.loads((folder / "status.json").read_text())
    del status["kept_epoch"]
    (folder / "status.json").write_text(json.dumps(status))


def check_card(folder, images, epoch, says):
    """The card, and that of the same run of an older version, have the numbers of this epoch."""
    for is_older in (False, True):
        if is_older:
            forget(folder)
        facts = facts_of(folder)
        expected = psnr_of_model(folder, images)
        assert facts.kept_epoch == epoch
        found = {level["sigma"]: level["test_psnr"] for level in facts.kept_levels()}
        assert found == pytest.approx(expected, abs=1e-4)
        card = card_of(folder)
        published = [
            float(number) for number in re.findall(r"^ *value: (\S+)$", card, re.MULTILINE)
        ]
        assert published == pytest.approx(list(expected.values()), abs=1e-3)
        assert f"with fixed noise after {says}; a gap" in card


def check_card_without(folder):
    card = card_of(folder)
    assert "PSNR over noise levels is not given" in card
    assert not {"## Quality", "model-index", "metrics"} & set(
        re.findall(r"^[\w #-]+", card, re.MULTILINE)
    )
    assert "Below sigma" not in card and "noise levels what it returns" not in card


@pytest.mark.parametrize(
    ("losses", "state"),
    [([5.0, 3.0, 4.0, 3.0, 1.0], "early stop"), ([5.0, 3.0, 4.0], "finished")],
)
def test_with_patience_it_is_that_of_the_best_epoch(tmp_path, images, judged, losses, state):
    judged(losses)
    folder = tmp_path / "run"
    assert run(folder, images, epochs=len(losses), patience=2).state == state
    assert json.loads((folder / "status.json").read_text())["kept_epoch"] == 2
    last = {level["sigma"]: level["test_psnr"] for level in facts_of(folder).last_levels()}
    assert last != pytest.approx(psnr_of_model(folder, images), abs=1e-4)
    text = "\n".join(run_report(read_runs([folder])).sections[0].text)
    assert "has the model of epoch 2, not of the last one" in text
    check_card(folder, images, 2, "epoch 2, which was kept")


def test_of_a_diverged_run_it_is_that_of_the_epoch_before(tmp_path, images, judged):
    judged([5.0, 3.0, math.inf])
    folder = tmp_path / "run"
    assert run(folder, images).state == "diverged"
    assert {row["epoch"] for row in facts_of(folder).levels} == {1, 2, 3}
    check_card(folder, images, 2, "epoch 2, which was kept")


def test_else_it_is_that_of_the_last_epoch(tmp_path, images):
    run(tmp_path / "run", images)
    check_card(tmp_path / "run", images, 3, "the last epoch")


def test_of_the_model_of_a_look_there_is_none(tmp_path, images, monkeypatch):
    monkeypatch.setattr(
        Look, "memorizes", lambda look, gap_errors=3.0: "it does" if look.step >= 18 else None
    )
    clock = ClockSettings(
        clock_looks=4, clock_samples=4, clock_budget=10.0, stop_before_memorizing=True
    )
    folder = tmp_path / "run"
    assert run(folder, images, clock).state == "early stop"
    assert facts_of(folder).levels
    for resume in (False, True):
        if resume:
            run(folder, images, clock, resume=True)
        assert json.loads((folder / "status.json").read_text())["kept_epoch"] is None
        check_card_without(folder)
    forget(folder)
    check_card_without(folder)


def test_of_a_stop_within_an_epoch_there_is_none(tmp_path, images, monkeypatch):
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_after(patch, 12)
        assert run(folder, images).state == "stopped"
    check_card_without(folder)
    status = (folder / "status.json").read_bytes()
    # Nor of one of an older version.
    forget(folder)
    check_card_without(folder)
    (folder / "status.json").write_bytes(status)
    # Nor is there when it goes on, before the next epoch is done.
    _, record = read_state(folder / "state.safetensors")
    assert record["step"] and record["parts"]["checkpoint"]["kept_epoch"] is None
    assert run(folder, images, resume=True).state == "finished"
    check_card(folder, images, 3, "the last epoch")


def test_a_state_that_does_not_say_which_epoch_was_kept_goes_on(tmp_path, images, judged):
    judged([5.0, 3.0, 4.0, 3.5, 2.0])
    folder = tmp_path / "run"
    run(folder, images, patience=3)
    path = folder / "state.safetensors"
    arrays, record = read_state(path)
    del record["parts"]["checkpoint"]["kept_epoch"]
    write_state(path, arrays, record)
    assert run(folder, images, resume=True, epochs=4, patience=3).state == "finished"
    assert "kept_epoch" not in json.loads((folder / "status.json").read_text())
    assert facts_of(folder).kept_epoch == 2
    run(folder, images, resume=True, epochs=5, patience=3)
    check_card(folder, images, 5, "the last epoch")


@pytest.mark.parametrize("epoch", [0, True, "2", 1.5])
def test_a_state_with_an_epoch_that_is_none_is_refused(tmp_path, images, epoch):
    folder = tmp_path / "run"
    run(folder, images, epochs=1)
    path = folder / "state.safetensors"
    arrays, record = read_state(path)
    record["parts"]["checkpoint"]["kept_epoch"] = epoch
    write_state(path, arrays, record)
    with pytest.raises(InputError, match="is damaged"):
        run(folder, images, resume=True, epochs=2)
