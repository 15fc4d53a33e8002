"""What eigenbases are compared with."""

import numpy as np
import pytest

from keras_gahr.analysis import (
    dct_coefficients,
    dct_image,
    oracle_psnr,
    oracle_shrinkage,
    posterior_components,
    principal_angles,
    tangent_space,
    wavelet_coefficients,
    wavelet_image,
)
from keras_gahr.datasets import make_disks, make_ray, make_sines, write_image
from keras_gahr.errors import InputError
from keras_gahr.psnr import add_noise, psnr


def test_principal_angles():
    first = np.eye(4)[:2].reshape(2, 2, 2, 1)
    turned = np.array([[1, 0, 0, 0], [0, 1, 1, 0]]).reshape(2, 2, 2, 1)
    np.testing.assert_allclose(principal_angles(first, turned), [0, np.pi / 4], atol=1e-12)
    with pytest.raises(InputError, match="one size"):
        principal_angles(first, np.ones((2, 2, 1, 1)))


def test_tangent_spaces_of_datasets(tmp_path, smooth_images):
    disks = make_disks(tmp_path / "disks", 5, 16, 3)
    assert tangent_space(disks, 4).shape == (5, 16, 16, 1)
    fixed = make_disks(tmp_path / "fixed", 3, 16, 3, wrap=True, foreground=1.0)
    assert tangent_space(fixed, 2).shape == (4, 16, 16, 1)
    sines = make_sines(tmp_path / "sines", 3, 8, 1)
    assert tangent_space(sines, 1).shape == (2, 8, 8, 1)
    write_image(tmp_path / "ray.png", smooth_images(1, 6, 5)[0])
    ray = make_ray(tmp_path / "ray.png", tmp_path / "ray", 3, 1)
    # These families hold the multiples of each image.
    for dataset, index in ((disks, 4), (sines, 1), (ray, 2)):
        angles = principal_angles(dataset.as_float(index)[None], tangent_space(dataset, index))
        np.testing.assert_allclose(angles, 0, atol=1e-5)
    assert tangent_space(disks.subset(2), 1) is None


def test_a_basis_of_the_tangent_space_is_at_no_angle(tmp_path):
    disks = make_disks(tmp_path / "disks", 2, 16, 0)
    tangent = tangent_space(disks, 1)
    step = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    turned = np.tensordot(step, tangent, 1)
    np.testing.assert_allclose(principal_angles(turned, tangent), 0, atol=1e-7)


@pytest.mark.parametrize("shape", [(16, 24, 1), (12, 8, 3), (7, 5, 1)])
@pytest.mark.parametrize(
    ("transform", "inverse"),
    [(dct_coefficients, dct_image), (wavelet_coefficients, wavelet_image)],
)
def test_fixed_bases_are_orthonormal(shape, transform, inverse):
    image = np.random.default_rng(0).standard_normal(shape)
    coefficients = transform(image)
    assert coefficients.shape == shape
    assert np.linalg.norm(coefficients) == pytest.approx(np.linalg.norm(image))
    np.testing.assert_allclose(inverse(coefficients), image, atol=1e-12)


def test_wavelets_that_are_no_orthonormal_basis():
    for name in ("bior2.2", "none"):
        with pytest.raises(InputError, match=name):
            wavelet_coefficients(np.zeros((8, 8, 1)), name)


def test_oracle(smooth_images):
    (clean,) = smooth_images(1, 16, 16)
    noisy = add_noise(clean[None], 0.1, 5)[0]
    decibels, kept = oracle_psnr(clean, noisy, 0.1, dct_coefficients)
    known, seen = dct_coefficients(clean), dct_coefficients(noisy)
    image = dct_image(np.where(np.abs(known) > 0.1, seen, 0))
    assert decibels == pytest.approx(psnr(image[None], clean)[0], abs=1e-6)
    assert decibels > psnr(noisy[None], clean)[0] + 5
    assert kept == np.count_nonzero(np.abs(known) > 0.1)
    np.testing.assert_allclose(oracle_shrinkage([0, 0.1, -3], 0.1), [0, 0.5, 9 / 9.01])
    np.testing.assert_array_equal(oracle_shrinkage([0, 1], 0), [1, 1])


def test_posterior_components(tiny_denoiser, smooth_images):
    (clean,) = smooth_images(1, 16, 16)
    found = posterior_components(tiny_denoiser, clean, 0.1, draws=40, count=6, seed=1)
    components = found.components.reshape(6, -1)
    np.testing.assert_allclose(components @ components.T, np.eye(6), atol=1e-10)
    assert np.all(np.diff(found.variances) <= 0)
    # Denoising removes most of the noise's variance.
    assert found.variances.sum() < found.total_variance < 0.5 * 0.1**2 * clean.size
    with pytest.raises(InputError, match="more draws"):
        posterior_components(tiny_denoiser, clean, 0.1, draws=6, count=6)
