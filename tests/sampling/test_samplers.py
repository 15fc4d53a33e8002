"""Euler, Heun and ancestral steps: against their definitions, and independent of batches."""

import itertools

import numpy as np
import pytest
import tolerances
from keras import ops

from keras_gahr import InputError
from keras_gahr.denoisers import Inference
from keras_gahr.sampling import AscentSchedule, NoiseLevels, Trajectory, sample

SHAPE = (8, 12, 1)
LEVELS = NoiseLevels(steps=6, sigma_end=0.02)
NAMES = ("euler", "heun", "ancestral")


def by_hand(denoiser, name, schedule, initial, noise):
    """The pseudo-code in NumPy; returns the last y and the noise levels."""
    residual = Inference(denoiser).residual
    y, seen = initial, []
    levels = [schedule.level(t) for t in range(1, schedule.steps + 2)]
    for t, (sigma, sigma_next) in enumerate(itertools.pairwise(levels)):
        r = residual(y)
        seen.append(float(np.sqrt(np.mean(r**2))))
        if schedule.estimated:
            if t and seen[-2] <= schedule.sigma_end:
                break
            sigma = seen[-1]
            sigma_next = min(sigma_next, sigma)
        if name == "ancestral":
            variance = sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2
            y = y - (sigma**2 - sigma_next**2) * r / sigma**2 + np.sqrt(variance) * noise[t]
        else:
            slope = r / sigma
            euler = y + (sigma_next - sigma) * slope
            slope_next = residual(euler) / sigma_next
            mean = (slope + slope_next) / 2 if name == "heun" else slope
            y = y + (sigma_next - sigma) * mean
    return y, seen


@pytest.mark.parametrize("estimated", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NAMES)
def test_the_pseudo_code(tiny_denoiser, name, estimated):
    generator = np.random.default_rng(3)
    initial = 0.5 + generator.standard_normal((1, *SHAPE)).astype(np.float32)
    noise = generator.standard_normal((6, 1, *SHAPE)).astype(np.float32)
    schedule = NoiseLevels(steps=6, sigma_end=0.02, estimated=estimated)
    sigmas = []
    found = sample(
        tiny_denoiser,
        SHAPE,
        sampler=name,
        schedule=schedule,
        initial=initial,
        noise=lambda images, t: noise[t - 1],
        callback=lambda images, t, y, sigma: sigmas.append(float(ops.convert_to_numpy(sigma)[0])),
        check_every=1,
        final_denoise=False,
    )
    expected, seen = by_hand(tiny_denoiser, name, schedule, initial, noise)
    assert found.images == pytest.approx(expected, abs=tolerances.SAMPLER_BY_HAND)
    assert sigmas == pytest.approx(seen[: len(sigmas)], rel=tolerances.SAMPLER_BY_HAND)


@pytest.mark.parametrize("name", NAMES)
def test_an_image_alone_is_the_one_in_a_batch_with_some_that_diverge(tiny_denoiser, name):
    initial = np.random.default_rng(0).random((3, *SHAPE), np.float32)
    initial[1] *= 1e4
    initial[2, 0, 0] = np.nan
    options = {"seed": 7, "schedule": LEVELS, "sampler": name}
    three = sample(tiny_denoiser, SHAPE, count=3, initial=initial, **options)
    assert three.status == ("converged", "diverged", "diverged")
    assert np.array_equal(three.steps, [6, 0, 0])
    alone = sample(tiny_denoiser, SHAPE, initial=initial[:1], **options)
    assert alone.images[0] == pytest.approx(three.images[0], abs=tolerances.SAME_IMAGE)


def test_levels():
    for spacing in ("karras", "geometric"):
        schedule = NoiseLevels(sigma_0=1, sigma_end=0.01, steps=4, spacing=spacing)
        levels = [schedule.level(t) for t in range(1, 6)]
        assert levels[0] == pytest.approx(1)
        assert levels[-1] == pytest.approx(0.01)
        assert np.all(np.diff(levels) < 0)
    assert levels == pytest.approx(np.geomspace(1, 0.01, 5))
    # Karras et al., equation 5, for rho = 1 is an even spacing.
    even = NoiseLevels(steps=4, rho=1)
    assert [even.level(t) for t in range(1, 6)] == pytest.approx(np.linspace(1, 0.01, 5))


def test_without_noise_the_ascent_is_decided_by_its_start(tiny_denoiser):
    options = {"schedule": AscentSchedule(beta=1, sigma_end=0.05)}
    initial = 0.5 + np.random.default_rng(0).standard_normal((1, *SHAPE)).astype(np.float32)
    first, second = (
        sample(tiny_denoiser, SHAPE, seed=seed, initial=initial, **options) for seed in (1, 2)
    )
    assert np.array_equal(first.images, second.images)


def test_wrong_settings_are_refused(tiny_denoiser):
    with pytest.raises(InputError, match="ascent, euler"):
        sample(tiny_denoiser, SHAPE, sampler="langevin")
    with pytest.raises(InputError, match="expected NoiseLevels"):
        sample(tiny_denoiser, SHAPE, sampler="euler", schedule=AscentSchedule())
    with pytest.raises(InputError, match="initial images"):
        sample(tiny_denoiser, SHAPE, count=2, initial=np.zeros((1, *SHAPE), np.float32))
    for settings in ({"steps": 0}, {"spacing": "even"}, {"rho": 0}, {"sigma_end": 2}):
        with pytest.raises(InputError):
            NoiseLevels(**settings)


@pytest.mark.parametrize(
    "name, schedule",
    [
        ("ascent", AscentSchedule(beta=0.1, max_steps=4, sigma_end=0.05)),
        ("heun", NoiseLevels(steps=4, sigma_end=0.05, estimated=True)),
    ],
)
def test_a_first_step_that_should_not_be_is_taken_back(tiny_denoiser, name, schedule):
    """It is taken while it looks: one image has hardly any noise, another far too much."""
    noise = np.random.default_rng(5).standard_normal((3, *SHAPE)).astype(np.float32)
    initial = 0.5 * np.ones_like(noise) + np.float32([1, 1e-4, 1e4]).reshape(3, 1, 1, 1) * noise
    options = {"sampler": name, "schedule": schedule, "seed": 1}
    found = sample(tiny_denoiser, SHAPE, count=3, initial=initial, final_denoise=False, **options)
    assert found.steps[0] > 0 and found.steps[1:].tolist() == [0, 0]
    assert found.status[1:] == ("converged", "diverged")
    np.testing.assert_array_equal(found.images[1:], initial[1:])
    per_step = 2 if name == "heun" else 1
    assert found.passes.tolist() == [per_step * steps + 1 for steps in (found.steps[0], 1, 1)]

    called, kept = [], Trajectory(every=1)
    alone = sample(
        tiny_denoiser,
        SHAPE,
        initial=initial[1:2],
        callback=lambda *step: called.append(step),
        trajectory=kept,
        **options,
    )
    assert alone.steps.tolist() == [0] and not called and kept.t.tolist() == [1]
    np.testing.assert_allclose(
        alone.images, Inference(tiny_denoiser).denoise(initial[1:2]), atol=tolerances.SAME_IMAGE
    )
