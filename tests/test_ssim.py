"""Structural similarity."""

import numpy as np
import pytest

from keras_gahr import InputError
from keras_gahr.ssim import WINDOW, ssim

SCIKIT_IMAGE = {
    (24, 31, 1): 0.7929059942284636,
    (11, 11, 1): 0.7853782676751453,
    (16, 20, 3): 0.8002028808334544,
}
"""What scikit-image 0.26 gives for `pairs` with gaussian_weights=True, use_sample_covariance=False."""


@pytest.fixture(scope="module")
def pairs():
    """Images and noisy ones of several shapes."""
    rng = np.random.default_rng(0)
    made = {}
    for shape in SCIKIT_IMAGE:
        clean = rng.random(shape)
        made[shape] = clean, np.clip(clean + 0.2 * rng.standard_normal(shape), 0, 1)
    return made


@pytest.mark.parametrize("shape", SCIKIT_IMAGE, ids=str)
def test_it_is_what_scikit_image_computes(pairs, shape):
    clean, noisy = pairs[shape]
    assert ssim(clean[None], noisy[None])[0] == pytest.approx(SCIKIT_IMAGE[shape], abs=1e-9)


def test_one_value_for_each_image(pairs):
    clean, noisy = pairs[24, 31, 1]
    found = ssim(np.stack([clean, noisy]), np.stack([clean, clean]))
    assert found == pytest.approx([1, SCIKIT_IMAGE[24, 31, 1]], abs=1e-9)


def test_images_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="11"):
        ssim(np.zeros((1, WINDOW - 1, 16, 1)), np.zeros((1, WINDOW - 1, 16, 1)))
    with pytest.raises(InputError, match="one shape"):
        ssim(np.zeros((1, 16, 16, 1)), np.zeros((1, 16, 17, 1)))
