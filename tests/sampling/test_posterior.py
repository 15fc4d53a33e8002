"""Averages over the posterior."""

import numpy as np
import pytest

from keras_gahr import InputError
from keras_gahr.sampling import AscentSchedule, posterior_average

SHAPE = (8, 8, 1)


def test_mean_and_spread_of_samples(tiny_denoiser):
    options = {"seed": 3, "schedule": AscentSchedule(beta=0.5, sigma_end=0.1)}
    average = posterior_average(tiny_denoiser, SHAPE, 3, **options)
    images = average.samples.images
    assert len(images) == 3
    assert average.mean == pytest.approx(images.mean(axis=0), abs=1e-6)
    assert average.std == pytest.approx(images.std(axis=0, ddof=1), abs=1e-6)


def test_what_has_no_average(tiny_denoiser):
    with pytest.raises(InputError, match="expected one"):
        posterior_average(tiny_denoiser, SHAPE, 2, measured=np.zeros((2, 0), np.float32))
    broken = np.full((2, *SHAPE), np.nan, np.float32)
    with pytest.raises(InputError, match="diverged"):
        posterior_average(tiny_denoiser, SHAPE, 2, initial=broken)
