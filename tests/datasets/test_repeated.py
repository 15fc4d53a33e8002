import numpy as np
import pytest

from keras_gahr.datasets import find_repeats, make_c_alpha
from keras_gahr.datasets.repeated import AMPLITUDE, GAIN, make_repeated
from keras_gahr.errors import InputError


@pytest.fixture
def source(tmp_path):
    make_c_alpha(tmp_path / "source", 30, 16, 0, 2.0)
    return tmp_path / "source"


def test_the_first_images_are_repeats_and_the_others_as_they_were(source, tmp_path):
    images = np.load(source / "images.npy")
    made = np.asarray(make_repeated(source, tmp_path / "out", 4, 5, seed=1).images)
    assert made.shape == images.shape
    np.testing.assert_array_equal(made[:4], images[:4])
    np.testing.assert_array_equal(made[20:], images[20:])
    for k in range(4, 20):
        difference = np.abs(made[k] - images[k % 4]).max()
        assert 0 < difference <= GAIN + AMPLITUDE + 1e-6
    assert len(np.unique(made[:20].reshape(20, -1), axis=0)) == 20


def test_repeats_are_found_and_nothing_else(source, tmp_path):
    made = make_repeated(source, tmp_path / "out", 4, 5, seed=1)
    np.testing.assert_array_equal(find_repeats(made.images).dropped, np.arange(4, 20))
    assert not len(find_repeats(np.load(source / "images.npy")).dropped)


def test_a_seed_gives_the_same_images(source, tmp_path):
    a, b, c = (
        make_repeated(source, tmp_path / str(k), 4, 5, seed=seed).manifest["sha256"]
        for k, seed in enumerate((1, 1, 2))
    )
    assert a == b != c


@pytest.mark.parametrize(("distinct", "repeats"), [(0, 5), (4, 0), (4, 8)])
def test_impossible_numbers_are_refused(source, tmp_path, distinct, repeats):
    with pytest.raises(InputError, match="expected at least 1"):
        make_repeated(source, tmp_path / "out", distinct, repeats, seed=1)
