"""The claims of `locality`, which must fail where machines draw otherwise, the drawing, and a whole run."""

import dataclasses

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.analysis import Calibration
from keras_gahr.baselines import Wiener
from keras_gahr.errors import InputError
from keras_gahr.experiments.drawing import draw, first_noise, levels_for
from keras_gahr.experiments.locality.experiment import Locality
from keras_gahr.experiments.locality.findings import LocalityResult, claims_of
from keras_gahr.experiments.locality.machines import machines
from keras_gahr.reproduction.settings import replaced
from keras_gahr.sampling import NoiseLevels

SAMPLES = np.random.default_rng(0).random((12, 8, 8, 1)).astype(np.float32)
FEW = {"images": 12, "train_images": 8, "test_size": 2, "known_images": 4, "samples": 3, "steps": 2}


def result(label="CNN, images", **noise):
    """A network whose machines draw what it draws, with noise of such standard deviations."""
    rng = np.random.default_rng(1)
    amounts = {"ELS": 0.02, "LS": 0.03, "ELS, one pixel": 0.8, "ELS, shuffled": 0.8} | noise
    drawn = {
        name: SAMPLES + amount * rng.standard_normal(SAMPLES.shape)
        for name, amount in amounts.items()
    }
    r = np.full((1, 1, 2), 0.9)
    calibration = Calibration(np.array([0.5]), np.array([3]), r, "equivariant", "cut", "residual")
    return LocalityResult(label, calibration, SAMPLES, drawn, 4)


def passed(*results):
    return [claim.passed for claim in claims_of(results)]


def test_machines_that_draw_the_same_are_seen():
    assert passed(result(), result("UNet, disks")) == [True] * 4


@pytest.mark.parametrize(("machine", "claim"), [("ELS", 0), ("LS", 1)])
def test_a_machine_that_draws_otherwise_is_none(machine, claim):
    assert passed(result(**{machine: 0.3}))[claim] is False


def test_samples_that_are_few_or_differ_decide_nothing():
    found = result()
    few = dataclasses.replace(
        found,
        samples=found.samples[:3],
        machines={name: drawn[:3] for name, drawn in found.machines.items()},
    )
    assert few.median("ELS") > 0.95 and few.median_interval("ELS") == (0, 1)
    assert passed(few)[:2] == [None, None]
    amounts = np.linspace(0, 0.3, 12)[:, None, None, None]
    differing = result(ELS=amounts, LS=amounts)
    low, high = differing.median_interval("ELS")
    assert low < 0.8 and high > 0.95
    assert passed(differing)[:2] == [None, None]


@pytest.mark.parametrize(("control", "claim"), [("ELS, one pixel", 2), ("ELS, shuffled", 3)])
def test_a_control_must_lose_for_every_network(control, claim):
    assert passed(result(), result("UNet, disks", **{control: 0.001}))[claim] is False
    assert passed(result(), result("UNet, disks", **{control: 0.02}))[claim] is None


def test_drawing_takes_the_steps_of_the_sampler(tiny_model):
    denoiser = kg.load_denoiser(tiny_model)
    sigmas = levels_for(denoiser, 3)
    noisy = first_noise(2, (8, 8, 1), sigmas[0], seed=5)
    drawing = draw(denoiser, noisy, sigmas)
    samples = kg.sample(
        denoiser,
        (8, 8),
        count=2,
        seed=5,
        sampler="euler",
        schedule=NoiseLevels(steps=3).known_by(denoiser),
    )
    np.testing.assert_allclose(drawing.images, samples.images, atol=1e-5)
    assert drawing.y.shape == (4, 2, 8, 8, 1) and [*drawing.noisy] == sigmas


def test_who_denoises_alike_draws_alike():
    images = np.random.default_rng(2).integers(256, size=(6, 8, 8, 1), dtype=np.uint8)
    known = images[:3]
    rivals = machines(images, known, [(0.1, 3), (1.0, 5)], seed=0)
    sigmas = [1.0, 0.3, 0.1]
    noisy = first_noise(2, (8, 8, 1), 1.0, seed=0)
    own = draw(Wiener.from_images(images, sigma=0.7), noisy, sigmas)
    np.testing.assert_allclose(draw(rivals["Gaussian"], noisy, sigmas).images, own.images)
    copies = draw(rivals["copy"], noisy, [1.0, 0.3, 0.05, 0.01]).images
    nearest = np.abs(copies[:, None] - images / 255).max(axis=(2, 3, 4)).min(axis=1)
    assert nearest.max() < 0.02
    assert list(rivals["ELS, shuffled"].shape) == [3, 8, 8, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"samples": 1}, "samples = 1, expected 2 or more"),
        ({"steps": 0}, "steps = 0"),
        ({"calibrated": 0}, "calibrated = 0"),
        ({"known_images": 1}, "known_images = 1"),
        ({"size": 11}, "a multiple of 2"),
        ({"images": 40}, "images = 40, expected at least"),
    ],
)
def test_what_cannot_be_run(change, words):
    settings = replaced(Locality.scales["smoke"], **change)
    with pytest.raises(InputError, match=words):
        Locality().trainings(settings)


def test_a_whole_run_of_networks_that_were_not_trained(pretend):
    settings = replaced(Locality.scales["smoke"], **FEW, size=8, calibrated=1)
    runs = pretend(Locality().trainings(settings))
    told = []
    document = Locality().analyse(settings, runs, lambda text, part: told.append(part))
    assert [run.task.label for run in runs] == [*document.numbers]
    assert len(runs) == 4 and told == sorted(told) and told[-1] < 1
    assert document.sections[1].items[0].name == "explained"
    machine = document.numbers["UNet, disks"]["machines"]["ELS"]
    low, high = machine["median_r_squared_95"]
    assert low <= machine["median_r_squared"] <= high
    assert machine["median_r"] ** 2 == pytest.approx(machine["median_r_squared"], abs=0.2)
    assert len(machine["r"]) == 3
    assert dataclasses.asdict(document.claims[0])["source"] == "Table 1"
