"""The multistep sampler: against its definition, laws with known samples, and other samplers."""

import numpy as np
import pytest
import tolerances
from keras import ops

import keras_gahr as kg
from keras_gahr import InputError
from keras_gahr.denoisers import Inference
from keras_gahr.sampling import AscentSchedule, MultistepSchedule, NoiseLevels, sample
from keras_gahr.sampling.measurements import SuperResolution
from keras_gahr.sampling.multistep import multistep_step
from keras_gahr.sampling.noise_levels import residual_level

SHAPE = (8, 12, 1)


def by_hand(denoiser, schedule, initial, noise, measurement=None, measured=None):
    """The pseudo-code in NumPy; returns the last y."""
    residual, y, last = Inference(denoiser).residual, initial, None
    q = schedule.factor
    kept = q ** (1 / schedule.beta)
    for z in noise:
        denoised = y - residual(y)
        if measurement is not None:
            m = measurement.measured_from(ops.convert_to_tensor(measured))
            known = np.asarray(measurement.back_project(m))
            denoised = denoised - np.asarray(measurement.project(denoised)) + known
        sigma = np.sqrt(np.mean((y - denoised) ** 2))
        ahead = denoised
        if last is not None:
            r = max(1, np.log(last[1] / sigma) / np.log(1 / q))
            ahead = denoised + (denoised - last[0]) / (2 * r)
        y = kept * y + (1 - kept) * ahead + sigma * np.sqrt(q**2 - kept**2) * z
        last = denoised, sigma
        if sigma <= schedule.sigma_end:
            break
    return y


@pytest.mark.parametrize("measures", [False, True])
def test_the_pseudo_code(tiny_denoiser, measures):
    generator = np.random.default_rng(3)
    initial = 0.5 + generator.standard_normal((1, *SHAPE)).astype(np.float32)
    noise = generator.standard_normal((6, 1, *SHAPE)).astype(np.float32)
    schedule = MultistepSchedule(steps=6, sigma_end=0.02, beta=0.3, max_steps=6)
    given = {}
    if measures:
        measurement = SuperResolution(SHAPE, 4)
        given = {"measurement": measurement, "measured": measurement(np.clip(initial, 0, 1))}
    found = sample(
        tiny_denoiser,
        SHAPE,
        sampler="multistep",
        schedule=schedule,
        initial=initial,
        noise=lambda images, t: noise[t - 1],
        final_denoise=False,
        **given,
    )
    expected = by_hand(tiny_denoiser, schedule, initial, noise, **given)
    assert found.images == pytest.approx(expected, abs=tolerances.SAMPLER_BY_HAND)
    assert found.passes.tolist() == (found.steps + 2).tolist()


# Of 256 directions 4 have an image in them, so that |g| / sqrt(d) is sigma to 1%.
SIDE = 16
SPREAD = 0.3


@pytest.fixture(scope="module")
def gaussian():
    """The best denoiser of images with a deviation of `SPREAD` along 4 directions, which come too."""
    generator = np.random.default_rng(0)
    directions = np.linalg.qr(generator.standard_normal((SIDE**2, 4)))[0].T
    mean, variances = np.zeros((SIDE, SIDE, 1), np.float32), np.full(4, SPREAD**2, np.float32)
    return kg.baselines.Wiener(mean, directions.T.astype(np.float32), variances), directions


def _coefficients(found, directions):
    return found.images.reshape(len(found.images), -1) @ directions.T


def _drawn(gaussian, sampler, schedule, count):
    denoiser, directions = gaussian
    options = {"count": count, "batch_size": count, "schedule": schedule, "sampler": sampler}
    return _coefficients(sample(denoiser, (SIDE, SIDE), **options), directions)


@pytest.mark.one_backend
@pytest.mark.parametrize("beta", [0.05, 0.5])
def test_few_steps_have_the_variance_of_the_law(gaussian, beta):
    schedule = MultistepSchedule(steps=12, beta=beta, init_mean=0.0)
    spread = _drawn(gaussian, "multistep", schedule, 500).std()
    assert spread == pytest.approx(SPREAD, rel=0.12)


@pytest.mark.one_backend
def test_as_few_steps_of_first_order_lose_variance(gaussian):
    schedule = AscentSchedule(beta=0.32, h0=1.0, init_mean=0.0)
    assert schedule.predicted_steps() == 12
    assert _drawn(gaussian, "ascent", schedule, 500).std() < 0.8 * SPREAD


def _error_of_the_flow(steps):
    """Of the first row of an image, which has a Gaussian law, where all other pixels are 0.

    Along the probability flow it falls as sqrt(v + sigma^2).
    """
    start = np.random.default_rng(1).standard_normal((1, SIDE, SIDE, 1)).astype(np.float32)

    def level_of(y):
        return float(np.sqrt(np.mean(np.square(ops.convert_to_numpy(y)[:, 1:]))))

    def direction(y, level):
        variances = np.zeros((1, SIDE, SIDE, 1), np.float32)
        variances[:, 0] = SPREAD**2
        g = y * (1 - variances / (variances + level_of(y) ** 2))
        return g, g

    numbers = MultistepSchedule(steps=steps, beta=1.0, sigma_end=0.05).numbers(1)
    y, level = ops.convert_to_tensor(start), ops.ones(1)
    saw = y - direction(y, level)[0], residual_level(direction(y, level)[0])
    for _ in range(steps):
        y, _, level, _, *saw = multistep_step(direction, y, level, 0 * y, lambda g: numbers, *saw)
    shrunk = np.sqrt((SPREAD**2 + level_of(y) ** 2) / (SPREAD**2 + level_of(start) ** 2))
    return np.abs(ops.convert_to_numpy(y) - start * shrunk)[:, 0].max()


@pytest.mark.one_backend
def test_without_noise_the_error_is_of_second_order():
    errors = [_error_of_the_flow(steps) for steps in (10, 20, 40)]
    assert errors[0] > 3 * errors[1] > 9 * errors[2], errors


def test_an_image_alone_is_the_one_in_a_batch_with_some_that_diverge(tiny_denoiser):
    initial = np.random.default_rng(0).random((3, *SHAPE), np.float32)
    initial[1] *= 1e4
    initial[2, 0, 0] = np.nan
    schedule = MultistepSchedule(steps=5, sigma_end=0.1)
    options = {"seed": 7, "schedule": schedule, "sampler": "multistep"}
    three = sample(tiny_denoiser, SHAPE, count=3, initial=initial, **options)
    assert three.status[1:] == ("diverged", "diverged")
    alone = sample(tiny_denoiser, SHAPE, initial=initial[:1], **options)
    assert alone.images[0] == pytest.approx(three.images[0], abs=tolerances.SAME_IMAGE)


def test_two_passes_of_a_step_are_counted(tiny_denoiser):
    levels = {"sampler": "heun", "schedule": NoiseLevels(steps=3)}
    assert sample(tiny_denoiser, SHAPE, **levels).passes.tolist() == [7]


def test_wrong_settings_are_refused(tiny_denoiser):
    with pytest.raises(InputError, match="expected MultistepSchedule"):
        sample(tiny_denoiser, SHAPE, sampler="multistep", schedule=NoiseLevels())
    for settings in ({"steps": 0}, {"beta": 0}, {"beta": 2}, {"sigma_end": 2}):
        with pytest.raises(InputError):
            MultistepSchedule(**settings)
