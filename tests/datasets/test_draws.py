import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keras_gahr.datasets.draws import raw, uniform


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**40), st.integers(1, 5), st.integers(1, 11))
def test_an_image_has_its_numbers_whatever_is_drawn_with_it(seed, start, count, each):
    whole = raw("test", seed, start, count, each)
    assert whole.shape == (count, each)
    np.testing.assert_array_equal(raw("test", seed, start + count - 1, 1, each)[0], whole[-1])


def test_families_seeds_and_images_have_numbers_of_their_own():
    draws = [
        raw(family, seed, 0, 3, 8)
        for family in ("disks", "ray", "sines")
        for seed in (0, 1, 2**63 + 1)
    ]
    numbers = np.concatenate(draws).ravel()
    assert len(np.unique(numbers)) == len(numbers)


def test_numbers_are_uniform():
    numbers = uniform("test", 0, 0, 1000, 7)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = np.histogram(numbers, 10, (0, 1))[0]
    assert np.abs(counts - 700).max() < 5 * np.sqrt(700)
    assert np.abs(np.corrcoef(numbers.T) - np.eye(7)).max() < 0.15
