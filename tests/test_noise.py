"""Noise levels and keyed noise."""

import numpy as np
import pytest

from keras_gahr import InputError
from keras_gahr.datasets.draws import uniform
from keras_gahr.noise import check_seed, keyed_normal, keyed_uniform, parse_sigma


@pytest.mark.parametrize(
    ("text", "sigma"), [("0.1", 0.1), ("25/255", 25 / 255), ("1e-2", 0.01), ("0", 0), (0.5, 0.5)]
)
def test_noise_levels_as_written(text, sigma):
    assert parse_sigma(text) == pytest.approx(sigma)


@pytest.mark.parametrize("text", ["", "a", "-0.1", "1/0", "nan", "inf", "1/2/3"])
def test_what_is_no_noise_level(text):
    with pytest.raises(InputError, match="25/255"):
        parse_sigma(text)


def test_every_seed_image_and_step_has_its_own_noise():
    seeds = (0, 1, 2**32, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1)
    draws = [
        keyed_normal(seed, [image], step, (50,))[0]
        for seed in seeds
        for image in (0, 1)
        for step in (0, 1)
    ]
    correlation = np.corrcoef(draws)
    np.fill_diagonal(correlation, 0)
    assert np.abs(correlation).max() < 0.7
    assert np.mean(draws) == pytest.approx(0, abs=0.1)


def test_noise_does_not_depend_on_the_images_around_it():
    whole = keyed_normal(3, range(10), 5, (4, 4, 1))
    assert np.array_equal(keyed_normal(3, [7], 5, (4, 4, 1))[0], whole[7])
    assert whole.dtype == np.float32
    assert np.array_equal(keyed_uniform(3, [7], 5), keyed_uniform(3, range(10), 5)[7:8])


def test_images_do_not_share_the_numbers_of_the_noise():
    assert not np.any(np.isclose(uniform("disks", 0, 0, 1, 5)[0], keyed_uniform(0, [0], 0)[0]))


def test_seeds_have_a_range():
    assert check_seed(2**64 - 1)
    for seed in (-1, 2**64):
        with pytest.raises(InputError):
            check_seed(seed)
