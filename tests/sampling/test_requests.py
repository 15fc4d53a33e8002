"""What the sampler cannot be asked for ends in one line, before anything is computed."""

import math

import numpy as np
import pytest
from keras import ops

from keras_gahr import InputError
from keras_gahr.noise import keyed_normal
from keras_gahr.sampling import AscentSchedule, NoiseLevels, Trajectory, sample

QUICK = AscentSchedule(beta=1, h0=0.5, sigma_end=0.5)


def test_a_shape_without_channels(tiny_denoiser):
    found = sample(tiny_denoiser, (8, 12), schedule=QUICK)
    assert found.images.shape == (1, 8, 12, 1)
    same = sample(tiny_denoiser, (np.int64(8), 12, 1), schedule=QUICK, seed=np.uint64(0))
    np.testing.assert_array_equal(found.images, same.images)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        (16, {}),
        (None, {}),
        ("16x16", {}),
        ((16,), {}),
        ((1, 16, 16, 1), {}),
        ((16.0, 16, 1), {}),
        ((0, 16, 1), {}),
        ((-4, 16, 1), {}),
        ((True, 16, 1), {}),
        ((10**9, 10**9, 1), {}),
        ((16, 16, 1), {"count": 2**63}),
        ((16, 16, 1), {"count": 0}),
        ((16, 16, 1), {"count": 1.5}),
        ((16, 16, 1), {"count": None}),
        ((16, 16, 1), {"seed": None}),
        ((16, 16, 1), {"seed": -1}),
        ((16, 16, 1), {"seed": 2**64}),
        ((16, 16, 1), {"seed": 0.5}),
        ((16, 16, 1), {"seed": "0"}),
        ((16, 16, 1), {"seed": math.nan}),
        ((16, 16, 1), {"batch_size": 0}),
        ((16, 16, 1), {"batch_size": None}),
        ((16, 16, 1), {"check_every": 0}),
        ((16, 16, 1), {"first_image": -1}),
        ((16, 16, 1), {"first_image": 2**64}),
        ((16, 16, 1), {"sampler": "euler", "schedule": QUICK}),
        ((16, 16, 1), {"trajectory": 10}),
        ((16, 16, 1), {"prepared": 3}),
        ((16, 16, 1), {"callback": 3}),
        ((16, 16, 1), {"noise": 3}),
    ],
)
def test_requests_that_make_no_sense(tiny_denoiser, shape, options):
    with pytest.raises(InputError, match=r"^[^\n]*expected|would take") as caught:
        sample(tiny_denoiser, shape, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("schedule", [AscentSchedule, NoiseLevels])
@pytest.mark.parametrize("value", [math.nan, math.inf, -1, 0, "a", None, 1j])
def test_numbers_of_a_schedule(schedule, value):
    for name in ("sigma_0", "sigma_end", "h0", "beta", "rho", "steps"):
        if name in schedule.__dataclass_fields__:
            with pytest.raises(InputError, match="expected"):
                schedule(**{name: value})
    if not isinstance(value, int):
        with pytest.raises(InputError, match="init_mean"):
            schedule(init_mean=value)


@pytest.mark.parametrize("schedule", [AscentSchedule, NoiseLevels])
def test_levels_of_a_schedule_are_texts_too_and_nothing_else(schedule):
    assert schedule(sigma_0="127.5/255", sigma_end="0.1") == schedule(sigma_0=0.5, sigma_end=0.1)
    with pytest.raises(InputError, match="expected"):
        schedule(**{"beta" if schedule is AscentSchedule else "rho": "0.1"})


@pytest.mark.parametrize("every", [0, 1.5, "2", None, True])
def test_steps_of_a_trajectory(every):
    with pytest.raises(InputError, match="received every"):
        Trajectory(every)


UNFIT_NOISE = {
    "without channels": lambda images, t: np.zeros((len(images), 8, 8)),
    "of one image": lambda images, t: np.zeros((1, 8, 8, 1)),
    "of one number": lambda images, t: np.zeros(1),
    "nothing": lambda images, t: None,
    "text": lambda images, t: np.full((len(images), 8, 8, 1), "a"),
    "another shape after some steps": lambda images, t: np.zeros((len(images), 8, 8 + (t > 0), 1)),
}


@pytest.mark.one_backend
@pytest.mark.parametrize("name", UNFIT_NOISE)
def test_noise_that_does_not_fit(tiny_denoiser, name):
    with pytest.raises(InputError) as caught:
        sample(tiny_denoiser, (8, 8, 1), count=2, noise=UNFIT_NOISE[name], schedule=QUICK)
    assert "\n" not in str(caught.value)


def test_noise_of_any_type(tiny_denoiser):
    """Of the values that float32 holds, so that the images are the same."""
    given = {"shape": (8, 8, 1), "count": 2, "schedule": QUICK}
    expected = sample(tiny_denoiser, seed=3, **given).images
    for kind in (np.float32, np.float64, ops.convert_to_tensor):
        found = sample(
            tiny_denoiser,
            noise=lambda images, t, kind=kind: kind(keyed_normal(3, images, t, (8, 8, 1))),
            **given,
        ).images
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)
