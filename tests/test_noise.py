"""Noise levels and keyed noise."""

import numpy as np
import pytest
from keras import ops

from keras_gahr import InputError
from keras_gahr.datasets.draws import uniform
from keras_gahr.noise import (
    NOISE_LAWS,
    NoiseLaw,
    check_seed,
    keyed_normal,
    keyed_signs,
    keyed_uniform,
    parse_sigma,
)


@pytest.mark.parametrize(
    ("text", "sigma"), [("0.1", 0.1), ("25/255", 25 / 255), ("1e-2", 0.01), ("0", 0), (0.5, 0.5)]
)
def test_noise_levels_as_written(text, sigma):
    assert parse_sigma(text) == pytest.approx(sigma)


@pytest.mark.parametrize("text", ["", "a", "-0.1", "1/0", "nan", "inf", "1/2/3"])
def test_what_is_no_noise_level(text):
    with pytest.raises(InputError, match="25/255"):
        parse_sigma(text)


LOW, HIGH = 1 / 255, 3.0
DENSITIES = {
    "quadratic": lambda s: s**-0.5,
    "linear": np.ones_like,
    "inv": lambda s: 1 / s,
    "inv_1p5": lambda s: s**-1.5,
    "inv_sq": lambda s: s**-2.0,
    "power_law": lambda s: s ** (1 / 7 - 1),
    "arccos": lambda s: np.sin(np.pi * (s - LOW) / (HIGH - LOW)),
}


@pytest.mark.parametrize("name", NOISE_LAWS)
def test_levels_are_drawn_by_the_density_of_their_law(name):
    law = NoiseLaw(name, LOW, HIGH, 7.0 if name == "power_law" else None)
    draws = (np.arange(1000) + 0.5) / 1000
    levels = law.sigma(draws)
    # The share of the density below each level, by a fine sum: the draw that it is of.
    fine = np.geomspace(LOW, HIGH, 200_001)
    steps = np.diff(fine) * DENSITIES[name]((fine[1:] + fine[:-1]) / 2)
    below = np.concatenate([[0], np.cumsum(steps)]) / steps.sum()
    np.testing.assert_allclose(np.interp(levels, fine, below), draws, atol=1e-4)
    assert law.sigma(np.array([0.0, 1.0])) == pytest.approx([LOW, HIGH])
    mean_square = np.sum(np.diff(below) * ((fine[1:] + fine[:-1]) / 2) ** 2)
    assert law.mean_square() == pytest.approx(mean_square, rel=1e-3)
    found = law.sigma(ops.convert_to_tensor(draws.astype(np.float32)))
    np.testing.assert_allclose(ops.convert_to_numpy(found), levels, rtol=2e-4)


def test_laws_with_two_names():
    assert NoiseLaw("inv_sqrt", LOW, HIGH) == NoiseLaw("quadratic", LOW, HIGH)
    assert NoiseLaw("uniform") == NoiseLaw("linear")
    draws = np.linspace(0, 1, 11)
    for alpha, name in ((1, "linear"), (2, "quadratic"), (-1, "inv_sq"), (-2, "inv_1p5")):
        power = NoiseLaw("power_law", LOW, HIGH, alpha).sigma(draws)
        assert power == pytest.approx(NoiseLaw(name, LOW, HIGH).sigma(draws))


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


def test_signs_are_keyed_as_noise_is_and_alike_often():
    whole = keyed_signs(3, range(10), 5, (7, 9, 1))
    assert np.array_equal(keyed_signs(3, [7], 5, (7, 9, 1))[0], whole[7])
    assert whole.dtype == np.float32
    assert set(np.unique(whole)) == {-1, 1}
    rows = [
        keyed_signs(seed, [image], step, (64, 64)).ravel()
        for seed in (0, 2**64 - 1)
        for image in (0, 1)
        for step in (0, 2**32)
    ]
    correlation = np.corrcoef(rows)
    np.fill_diagonal(correlation, 0)
    assert np.abs(correlation).max() < 0.08
    assert np.abs(np.mean(rows, axis=1)).max() < 0.08
