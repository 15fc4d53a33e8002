"""What the sampler cannot be asked for ends in one line, before anything is computed."""

import math

import numpy as np
import pytest

from keras_gahr import InputError
from keras_gahr.sampling import AscentSchedule, NoiseLevels, sample

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
    ],
)
def test_requests_that_make_no_sense(tiny_denoiser, shape, options):
    with pytest.raises(InputError, match=r"^[^\n]*expected|would take") as caught:
        sample(tiny_denoiser, shape, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("schedule", [AscentSchedule, NoiseLevels])
@pytest.mark.parametrize("value", [math.nan, math.inf, -1, 0, "0.1", None, 1j])
def test_numbers_of_a_schedule(schedule, value):
    for name in ("sigma_0", "sigma_end", "h0", "beta", "rho", "steps"):
        if name in schedule.__dataclass_fields__:
            with pytest.raises(InputError, match="expected"):
                schedule(**{name: value})
    if not isinstance(value, int):
        with pytest.raises(InputError, match="init_mean"):
            schedule(init_mean=value)
