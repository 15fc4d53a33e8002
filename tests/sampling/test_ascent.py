"""Schedules, batches and endings of the sampler."""

import json

import numpy as np
import pytest
import tolerances
from keras import ops
from networks import relative_difference

from keras_gahr import InputError, ReceptiveFieldBFCNN
from keras_gahr.sampling import AscentSchedule, Measurement, Synthesis, sample

SCHEDULE = AscentSchedule(beta=0.3, sigma_end=0.03)
SHAPE = (16, 20, 1)


@pytest.fixture(scope="module")
def sixteen(tiny_denoiser):
    return sample(tiny_denoiser, SHAPE, count=16, seed=7, schedule=SCHEDULE)


@pytest.mark.parametrize("image", [0, 5, 15])
def test_an_image_alone_is_the_one_in_the_batch(tiny_denoiser, sixteen, image):
    alone = sample(tiny_denoiser, SHAPE, seed=7, schedule=SCHEDULE, first_image=image)
    assert alone.images[0] == pytest.approx(sixteen.images[image], abs=tolerances.SAME_IMAGE)
    assert alone.steps[0] == sixteen.steps[image]


def test_the_batch_size_does_not_matter(tiny_denoiser, sixteen):
    parts = sample(tiny_denoiser, SHAPE, count=16, seed=7, schedule=SCHEDULE, batch_size=5)
    assert parts.images == pytest.approx(sixteen.images, abs=tolerances.SAME_IMAGE)


def test_a_trained_denoiser_sees_the_noise(sixteen):
    assert sixteen.status == ("converged",) * 16
    assert sixteen.first_sigma == pytest.approx(1, abs=0.2)


def test_another_seed_gives_another_image(tiny_denoiser, sixteen):
    other = sample(tiny_denoiser, SHAPE, seed=8, schedule=SCHEDULE)
    assert np.abs(other.images[0] - sixteen.images[0]).max() > 0.05


def test_looking_at_sigma_seldom_changes_nothing(tiny_denoiser, sixteen):
    often = sample(tiny_denoiser, SHAPE, count=4, seed=7, schedule=SCHEDULE, check_every=1)
    assert often.images == pytest.approx(sixteen.images[:4], abs=tolerances.SAME_IMAGE)
    assert np.array_equal(often.steps, sixteen.steps[:4])


def test_finished_images_are_frozen(tiny_denoiser):
    """An image that takes 40 times the noise to start with runs longer; the other must not care."""
    initial = np.random.default_rng(0).standard_normal((2, *SHAPE)).astype(np.float32)
    initial[0] *= 0.05
    seen = []
    both = sample(
        tiny_denoiser,
        SHAPE,
        count=2,
        seed=1,
        schedule=SCHEDULE,
        initial=initial,
        callback=lambda images, t, y, sigma: seen.append(ops.convert_to_numpy(y)[0]),
    )
    assert both.steps[0] < both.steps[1]
    assert all(np.array_equal(y, seen[-1]) for y in seen[both.steps[0] - 1 :])


def test_an_image_that_runs_out_of_steps_says_so(tiny_denoiser):
    schedule = AscentSchedule(max_steps=5)
    samples = sample(tiny_denoiser, SHAPE, count=2, schedule=schedule)
    assert samples.status == ("max_steps", "max_steps")
    assert np.array_equal(samples.steps, [5, 5])


def test_an_image_that_diverges_is_flagged_and_the_others_go_on(tiny_denoiser):
    initial = np.random.default_rng(0).random((3, *SHAPE), np.float32)
    initial[1] *= 1e4
    initial[2, 0, 0] = np.nan
    samples = sample(tiny_denoiser, SHAPE, count=3, schedule=SCHEDULE, initial=initial)
    assert samples.status == ("converged", "diverged", "diverged")
    assert np.all(np.isfinite(samples.images[0]))
    assert np.array_equal(samples.steps[1:], [0, 0])


def test_progress_reaches_the_end(tiny_denoiser):
    seen = []
    sample(
        tiny_denoiser,
        SHAPE,
        count=3,
        schedule=SCHEDULE,
        batch_size=2,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert all(0 <= done <= 3 for done, _ in seen)
    assert seen[-1] == (pytest.approx(3), 3)


def test_predicted_steps():
    """The numbers that theory gives for sigma from 1 to 0.05 and beta = 0.1."""
    assert AscentSchedule(beta=0.1, sigma_end=0.05, fixed_h=True).predicted_steps() == 2995
    assert AscentSchedule(beta=0.1, sigma_end=0.05).predicted_steps() == 97
    assert AscentSchedule(beta=0.1, sigma_end=0.05).max_steps == 5 * 97


def test_the_noise_gain_keeps_the_noise_level_on_its_way():
    schedule = AscentSchedule(beta=0.2, h0=0.1)
    for t in (1, 10, 100):
        h = schedule.step_size(t)
        level = np.hypot(1 - h, schedule.noise_gain(t))
        assert level == pytest.approx(1 - 0.2 * h)
    assert AscentSchedule(beta=1).noise_gain(3) == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"beta": 0},
        {"beta": 1.5},
        {"h0": 0},
        {"sigma_end": 0},
        {"sigma_0": 0.001},
        {"sigma_0": 3},
        {"max_steps": 0},
    ],
)
def test_schedules_are_checked(settings):
    with pytest.raises(InputError):
        AscentSchedule(**settings)


def test_requests_that_cannot_be_met_are_refused(tiny_denoiser):
    with pytest.raises(InputError, match="multiples of 4"):
        sample(tiny_denoiser, (18, 20, 1))
    with pytest.raises(InputError, match="count"):
        sample(tiny_denoiser, SHAPE, count=0)
    conditional = ReceptiveFieldBFCNN(receptive_field=5, num_kernels=2, coarse=False)
    with pytest.raises(InputError, match="conditional"):
        sample(conditional, (8, 8, 4))


def test_synthesis_keeps_nothing():
    synthesis = Synthesis(SHAPE)
    images = ops.ones((2, *SHAPE))
    measured = synthesis.measure(images)
    assert tuple(measured.shape) == (2, 0)
    assert not ops.convert_to_numpy(synthesis.back_project(measured)).any()
    assert not ops.convert_to_numpy(synthesis.project(images)).any()
    # The shortcut agrees with the general formula.
    residual = ops.convert_to_tensor(np.random.default_rng(0).random((2, *SHAPE), np.float32))
    known = synthesis.back_project(measured)
    general = Measurement.ascent_direction(synthesis, residual, images, known)
    short = synthesis.ascent_direction(residual, images, known)
    assert relative_difference(ops.convert_to_numpy(general), ops.convert_to_numpy(short)) < 1e-6


def test_samples_on_disk(tmp_path, tiny_denoiser, sixteen):
    sixteen.save(tmp_path / "out")
    assert np.array_equal(np.load(tmp_path / "out" / "samples.npy"), sixteen.images)
    report = json.loads((tmp_path / "out" / "sampling.json").read_text())
    assert report["seed"] == 7
    assert report["schedule"]["beta"] == 0.3
    assert [image["steps"] for image in report["images"]] == sixteen.steps.tolist()
    assert (tmp_path / "out" / "samples.png").stat().st_size > 1000
