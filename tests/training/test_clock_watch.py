"""The clock of memorization in trainings of ours."""

import csv
import dataclasses
import json
import shutil
import signal

import numpy as np
import pytest
from equal_runs import check_equal
from stopped_runs import stop_after

import keras_gahr as kg
from keras_gahr import _backend
from keras_gahr.noise import NoiseLaw
from keras_gahr.psnr import SIGMAS
from keras_gahr.training import ClockSettings, TrainingSettings, run_training
from keras_gahr.training.clock import Look, memorization_clock, read_clock, write_clock
from keras_gahr.training.clock.trained_levels import TrainedLevels
from keras_gahr.training.clock.twin import KeptSamples
from keras_gahr.training.resume.state import read_state, write_state
from keras_gahr.training.watch import clock as watch
from keras_gahr.training.watch.event_file import read_events

SETTINGS = TrainingSettings(epochs=3, images_per_epoch=64, batch_size=8, learning_rate=3e-3)
CLOCK = ClockSettings(clock_looks=4, clock_samples=4, clock_budget=10.0)
STEPS = [10, 18, 24]
"""Its looks at three epochs of eight steps, the last one at the end."""


def run(out, images, settings=SETTINGS, clock=CLOCK, seed=0, **options):
    denoiser = kg.BFCNN(num_layers=3, num_kernels=4, seed=seed)
    return run_training(denoiser, images[:16], images[16:], settings, out, clock=clock, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, smooth_images):
    """A finished run on 16 of 20 images, which nobody changes: its folder and its result."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, run(folder, smooth_images(20, 8, 8))


def scalars_of(folder):
    """The numbers in event files, {tag: [(step, number), ...]}."""
    found = {}
    for path in sorted(folder.glob("*tfevents*")):
        for _, event in read_events(path):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_a_run_keeps_its_looks(whole):
    folder, result = whole
    looks = read_clock(folder / "clock.csv")
    assert [look.step for look in looks] == STEPS
    for found, look in zip(looks, result.clock.looks, strict=True):
        assert found.row() == pytest.approx(look.row(), nan_ok=True)
    kept = sorted(path.name for path in (folder / "clock").iterdir())
    assert kept == [f"step_{step:012d}.npy" for step in STEPS]
    scalars = scalars_of(folder / "events" / "clock")
    assert [step for step, _ in scalars["clock/f_mem"]] == STEPS
    assert (folder / "before_memorizing.keras").is_file()
    assert "clock" in dict(kg.plot.figures_of(result))


def test_a_training_is_the_same_with_a_clock(whole, tmp_path, smooth_images):
    folder, with_it = whole
    without = run(tmp_path / "other", smooth_images(20, 8, 8), clock=None)
    assert without.clock is None
    check_equal(folder, tmp_path / "other", with_it, without)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("law", "levels", "ends"),
    [
        (NoiseLaw(high=25 / 255), SIGMAS[4:6], (25 / 255, 0.01)),
        (NoiseLaw("inv", low=10 / 255, high=0.5), SIGMAS[4:8], (0.5, 10 / 255)),
        (NoiseLaw(low=0.2), SIGMAS[7:9], (1.0, 0.2)),
        (NoiseLaw("inv", low=1 / 255, high=3.0), SIGMAS[4:9], (1.0, 0.01)),
    ],
)
def test_a_clock_looks_at_levels_that_are_trained(
    tmp_path, smooth_images, monkeypatch, law, levels, ends
):
    drawn = []

    def sample(*arguments, schedule, **options):
        drawn.append((schedule.sigma_0, schedule.sigma_end))
        return kg.sample(*arguments, schedule=schedule, **options)

    monkeypatch.setattr(memorization_clock, "sample", sample)
    settings = dataclasses.replace(SETTINGS, noise_law=law)
    result = run(tmp_path / "run", smooth_images(20, 8, 8), settings)
    assert drawn == [ends] * len(STEPS)
    for look in result.clock.looks:
        assert list(look.train_psnr) == pytest.approx(levels, rel=1e-3)
        assert look.gap == list(look.gaps.values())[len(levels) // 2]


@pytest.mark.one_backend
def test_levels_of_the_usual_law_are_all_of_the_clock_s():
    usual = TrainedLevels.of(NoiseLaw())
    assert usual.sigmas == memorization_clock.CLOCK_SIGMAS
    assert usual.schedule == memorization_clock.LEVELS
    assert usual.passes_per_sample == 32
    assert TrainedLevels.of(NoiseLaw(high=25 / 255)).passes_per_sample == 26


@pytest.mark.one_backend
@pytest.mark.parametrize(
    "law",
    [NoiseLaw(high=10 / 255), NoiseLaw(low=0.7), NoiseLaw(low=SIGMAS[6], high=SIGMAS[6])],
)
def test_a_clock_without_a_level_that_is_trained_is_refused(tmp_path, smooth_images, law):
    settings = dataclasses.replace(SETTINGS, noise_law=law)
    with pytest.raises(kg.InputError, match=r"one of 12\.92, 24\.48, 46\.42, 87\.99, 166\.8"):
        run(tmp_path / "run", smooth_images(20, 8, 8), settings)
    assert not (tmp_path / "run").exists()


def stop_in_a_look(monkeypatch, step):
    """Makes trainings get a SIGINT while they look at a step."""
    look = kg.MemorizationClock.look

    def stopping(self, at, denoiser, twin=None):
        found = look(self, at, denoiser, twin)
        if at == step:
            signal.raise_signal(signal.SIGINT)
        return found

    monkeypatch.setattr(kg.MemorizationClock, "look", stopping)


@pytest.mark.parametrize(
    ("stop", "step", "changes"),
    [
        (stop_after, 10, {}),
        pytest.param(stop_after, 13, {"ema": 0.9}, marks=pytest.mark.one_backend),
        pytest.param(stop_in_a_look, 18, {}, marks=pytest.mark.one_backend),
        pytest.param(
            stop_after, 10, {"noise_law": NoiseLaw(high=0.1)}, marks=pytest.mark.one_backend
        ),
    ],
)
def test_a_clock_goes_on_as_if_nothing_had_happened(
    whole, tmp_path, smooth_images, monkeypatch, stop, step, changes
):
    images, settings = smooth_images(20, 8, 8), dataclasses.replace(SETTINGS, **changes)
    folder, expected = whole
    if changes:
        folder = tmp_path / "whole"
        expected = run(folder, images, settings)
    with monkeypatch.context() as patch:
        stop(patch, step)
        assert run(tmp_path / "run", images, settings).state == "stopped"
    found = run(tmp_path / "run", images, settings, resume=True)
    both = tmp_path / "run", folder
    check_equal(*both, found, expected)
    tables = [(run / "clock.csv").read_text() for run in both]
    assert tables[0] == tables[1]
    for name in sorted(path.name for path in (folder / "clock").iterdir()):
        np.testing.assert_array_equal(*(np.load(run / "clock" / name) for run in both))
    # What the first part wrote is there once.
    scalars = [scalars_of(run / "events" / "clock") for run in both]
    assert scalars[0] == scalars[1]


def forget_levels(run):
    """Makes a state one of the time when it did not say at which levels a clock looks."""
    path = run / "state.safetensors"
    arrays, record = read_state(path)
    del record["parts"]["clock"]["levels"]
    write_state(path, arrays, record)


@pytest.mark.one_backend
@pytest.mark.parametrize("step", [5, 11])
@pytest.mark.parametrize("law", [NoiseLaw(high=10 / 255), NoiseLaw(high=0.5)])
def test_a_clock_that_looked_at_all_levels_goes_on(tmp_path, smooth_images, monkeypatch, step, law):
    """Before and after its first look; with levels that follow the law there may be no such clock."""
    images, settings = smooth_images(20, 8, 8), dataclasses.replace(SETTINGS, noise_law=law)
    every = TrainedLevels(memorization_clock.CLOCK_SIGMAS, memorization_clock.LEVELS)
    with monkeypatch.context() as patch:
        patch.setattr(TrainedLevels, "of", lambda law: every)
        expected = run(tmp_path / "whole", images, settings)
        stop_after(patch, step)
        assert run(tmp_path / "run", images, settings).state == "stopped"
    forget_levels(tmp_path / "run")
    found = run(tmp_path / "run", images, settings, resume=True)
    check_equal(tmp_path / "run", tmp_path / "whole", found, expected)
    tables = [(tmp_path / name / "clock.csv").read_text() for name in ("run", "whole")]
    assert tables[0] == tables[1]
    # And once more: now its state says the levels.
    longer = dataclasses.replace(settings, epochs=4)
    assert run(tmp_path / "run", images, longer, resume=True).state == "finished"


@pytest.mark.one_backend
def test_levels_of_looks_that_followed_the_law_are_known(tmp_path, smooth_images, monkeypatch):
    images = smooth_images(20, 8, 8)
    settings = dataclasses.replace(SETTINGS, noise_law=NoiseLaw(high=0.5))
    run(tmp_path / "whole", images, settings)
    with monkeypatch.context() as patch:
        stop_after(patch, 11)
        run(tmp_path / "run", images, settings)
    forget_levels(tmp_path / "run")
    run(tmp_path / "run", images, settings, resume=True)
    tables = [(tmp_path / name / "clock.csv").read_text() for name in ("run", "whole")]
    assert tables[0] == tables[1]


@pytest.mark.one_backend
@pytest.mark.parametrize(
    "levels",
    [None, {}, {"sigmas": [], "schedule": {}}, {"sigmas": [0.1], "schedule": {"steps": 0}}],
)
def test_levels_that_are_none_are_damage(tmp_path, smooth_images, monkeypatch, levels):
    images = smooth_images(20, 8, 8)
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        run(tmp_path / "run", images)
    path = tmp_path / "run" / "state.safetensors"
    arrays, record = read_state(path)
    record["parts"]["clock"]["levels"] = levels
    write_state(path, arrays, record)
    with pytest.raises(kg.InputError, match="is damaged"):
        run(tmp_path / "run", images, resume=True)


@pytest.mark.one_backend
def test_a_run_goes_on_with_its_own_clock_only(tmp_path, smooth_images, monkeypatch):
    images = smooth_images(20, 8, 8)
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        run(tmp_path / "run", images)
    other = dataclasses.replace(CLOCK, clock_samples=5)
    for clock, name in ((None, "clock"), (other, "clock_samples")):
        with pytest.raises(kg.InputError, match=f"other {name} "):
            run(tmp_path / "run", images, clock=clock, resume=True)


@pytest.mark.skipif(
    not _backend.TAKES_SEVERAL_STEPS, reason="this backend takes one step at a time"
)
def test_several_steps_at_a_time_are_looked_at_after_the_last(tmp_path, smooth_images):
    settings = dataclasses.replace(SETTINGS, steps_per_execution=4)
    result = run(tmp_path / "run", smooth_images(20, 8, 8), settings)
    assert [look.step for look in result.clock.looks] == [12, 20, 24]


def memorizing_from(step):
    """`Look.memorizes` of trainings that memorize from a step on."""
    return lambda look, gap_errors=3.0: "it memorizes" if look.step >= step else None


@pytest.mark.one_backend
def test_a_training_stops_and_keeps_the_model_of_the_look_before(
    tmp_path, smooth_images, monkeypatch
):
    images = smooth_images(20, 8, 8)
    stopping = dataclasses.replace(CLOCK, stop_before_memorizing=True)
    monkeypatch.setattr(Look, "memorizes", memorizing_from(18))
    result = run(tmp_path / "run", images, clock=stopping)
    assert result.state == "early stop"
    assert result.memorized == "at step 18 it memorizes"
    assert [look.step for look in result.clock.looks] == STEPS[:2]
    assert result.clock.last_before == 10
    # The state of step 10, from a training that a signal ends there.
    with monkeypatch.context() as patch:
        # The end of an epoch counts, too.
        stop_after(patch, 11)
        at_ten = run(tmp_path / "ten", images, clock=None)
    for found, expected in zip(
        kg.load_denoiser(tmp_path / "run" / "model.keras").get_weights(),
        at_ten.denoiser.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)
    for found, expected in zip(
        result.denoiser.get_weights(), at_ten.denoiser.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    # It does not go on, and remains what it is.
    again = run(tmp_path / "run", images, clock=stopping, resume=True)
    assert (again.state, again.memorized) == (result.state, result.memorized)


@pytest.mark.one_backend
def test_a_training_that_memorizes_at_its_first_look_has_no_look_before(
    tmp_path, smooth_images, monkeypatch
):
    monkeypatch.setattr(Look, "memorizes", memorizing_from(1))
    stopping = dataclasses.replace(CLOCK, stop_before_memorizing=True)
    result = run(tmp_path / "run", smooth_images(20, 8, 8), clock=stopping)
    assert result.state == "early stop"
    assert result.clock.last_before is None
    assert (tmp_path / "run" / "model.keras").is_file()


@pytest.mark.one_backend
def test_the_snapshot_stays_that_of_the_first_look_before(tmp_path, smooth_images, monkeypatch):
    """A look that shows nothing again is no way back."""
    monkeypatch.setattr(
        Look, "memorizes", lambda look, gap_errors=3.0: "it does" if look.step == 18 else None
    )
    kept = []
    monkeypatch.setattr(
        watch, "save_denoiser", lambda denoiser, path: kept.append(denoiser.get_weights())
    )
    result = run(tmp_path / "run", smooth_images(20, 8, 8))
    assert (result.state, len(kept), result.clock.last_before) == ("finished", 1, 10)


@pytest.mark.one_backend
def test_a_training_without_test_images_has_a_clock(tmp_path, smooth_images):
    result = run(tmp_path / "run", smooth_images(16, 8, 8))
    assert [look.step for look in result.clock.looks] == STEPS
    assert all(np.isnan(look.gap) for look in result.clock.looks)


class TestTwin:
    @pytest.mark.one_backend
    def test_agreement_is_that_of_the_samples(self, tmp_path, smooth_images):
        images = smooth_images(40, 8, 8)
        run(tmp_path / "a", images)
        clock = dataclasses.replace(CLOCK, twin=str(tmp_path / "a"))
        result = run(tmp_path / "b", images[20:], clock=clock, seed=1)
        for look in result.clock.looks:
            samples = [
                np.load(tmp_path / name / "clock" / f"step_{look.step:012d}.npy") for name in "ab"
            ]
            flat = [array.reshape(4, -1).astype(float) for array in samples]
            expected = np.mean(
                [np.corrcoef(one, two)[0, 1] for one, two in zip(*flat, strict=True)]
            )
            # The samples are kept in float16.
            assert look.twins == pytest.approx(expected, abs=1e-4)

    @pytest.mark.one_backend
    def test_looks_that_the_twin_takes_later_are_filled_in(self, tmp_path, smooth_images):
        images = smooth_images(40, 8, 8)
        short = dataclasses.replace(SETTINGS, epochs=2)
        run(tmp_path / "a", images, short)
        clock = dataclasses.replace(CLOCK, twin=str(tmp_path / "a"))
        result = run(tmp_path / "b", images[20:], clock=clock, seed=1)
        assert [np.isfinite(look.twins) for look in result.clock.looks] == [True, False, False]
        run(tmp_path / "a", images, dataclasses.replace(SETTINGS, epochs=3), resume=True)
        again = run(tmp_path / "b", images[20:], clock=clock, seed=1, resume=True)
        assert [np.isfinite(look.twins) for look in again.clock.looks] == [True, True, True]
        with open(tmp_path / "b" / "clock.csv", newline="") as file:
            assert all(row["twins"] for row in csv.DictReader(file))

    @pytest.mark.one_backend
    def test_damaged_samples_are_refused_in_a_line(self, whole, tmp_path, smooth_images):
        shutil.copytree(whole[0], tmp_path / "a")
        (tmp_path / "a" / "clock" / "step_000000000010.npy").write_bytes(b"")
        clock = dataclasses.replace(CLOCK, twin=str(tmp_path / "a"))
        with pytest.warns(UserWarning, match="expected the samples of a look"):
            result = run(tmp_path / "b", smooth_images(40, 8, 8)[20:], clock=clock)
        assert [np.isfinite(look.twins) for look in result.clock.looks] == [False, True, True]

    @pytest.mark.one_backend
    @pytest.mark.parametrize("content", [b"", b"\x93NUMPY no array", b"x" * 100])
    def test_what_is_no_array_is_damaged(self, tmp_path, content):
        kept = KeptSamples(tmp_path, (8, 8, 1))
        kept.write(10, np.zeros((4, 8, 8, 1)))
        [path] = kept.folder.iterdir()
        path.write_bytes(content)
        with pytest.raises(kg.InputError, match="expected the samples of a look"):
            kept.read(10)


@pytest.mark.one_backend
def test_a_twin_on_the_same_images_is_none(tmp_path):
    data = {"sha256": "0" * 64, "half": "A", "train_size": 50, "available": 100}
    training = {"noise_law": dataclasses.asdict(NoiseLaw(high=0.5))}
    content = {"options": {"clock": True}, "training": training, "data": data}
    (tmp_path / "config.json").write_text(json.dumps(content))
    clock, law = ClockSettings(twin=str(tmp_path)), NoiseLaw(high=0.5)
    for same in (data, {**data, "half": "B", "train_size": 51}):
        with pytest.raises(kg.InputError, match="no more than half of the 100 images"):
            clock.check_twin(same, law)
    clock.check_twin({**data, "half": "B"}, law)
    clock.check_twin({**data, "sha256": "1" * 64}, NoiseLaw("linear", high=0.5))
    with pytest.raises(kg.InputError, match=r"noise of 127\.5/255 to .*expected 255/255 to"):
        clock.check_twin({**data, "half": "B"}, NoiseLaw())
    write_clock(tmp_path / "clock.csv", [Look(18), Look(32)])
    clock.check_twin({**data, "half": "B"}, law, {10, 18, 32, 56})
    with pytest.raises(kg.InputError, match=r"steps 18, 32, .*none of which"):
        clock.check_twin({**data, "half": "B"}, law, {10, 22, 46})
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(kg.InputError, match="holds no run"):
        clock.check_twin(data, law)


@pytest.mark.slow
@pytest.mark.one_backend
@pytest.mark.parametrize(("count", "stops"), [(16, True), (4000, False)])
def test_a_training_on_few_images_is_stopped_and_one_on_many_is_not(count, stops):
    images = kg.datasets.c_alpha_images(4300, 16, seed=0, alpha=2)
    result = kg.train(
        images[:count],
        images[4000:],
        num_blocks=2,
        num_kernels=16,
        epochs=5,
        images_per_epoch=4000,
        batch_size=16,
        stop_before_memorizing=True,
        clock_budget=0.2,
        progress=False,
    )
    assert (result.state, result.memorized is not None) == (
        ("early stop", True) if stops else ("finished", False)
    )
    assert all(not look.memorizes() for look in result.clock.looks[:-1])
    if stops:
        # What is kept denoises other images as well as its own, as far as can be told.
        kept = kg.MemorizationClock(images[:count], images[4000:]).look(1, result.denoiser)
        assert kept.memorizes() is None
