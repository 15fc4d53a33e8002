"""What is said of denoisers that are not homogeneous, by some whose D, J and b are known.

Bounds are those of `tolerances`: rounding of outputs and of entries of a Jacobian. Where a difference of
two outputs is compared, they are divided by its size, as part of the output's.
"""

import keras
import numpy as np
import pytest
import tolerances
from keras import ops

from keras_gahr import wrap
from keras_gahr.analysis import Linearizer, eigenbasis
from keras_gahr.analysis.numbers import eigenbasis_numbers, eigenbasis_verdict
from keras_gahr.baselines import EmpiricalBayes, Wiener
from keras_gahr.denoisers import Denoiser
from keras_gahr.errors import InputError
from keras_gahr.noise import keyed_normal


class Formula(Denoiser):
    """A denoiser with the residual that a function computes."""

    def __init__(self, residual, channels=1):
        inputs = keras.Input((None, None, channels))
        super().__init__(inputs, residual(inputs), 0, None, "formula")


def affine(offset):
    """J = I - P / 2, P moving images by a pixel; b = -offset."""
    return Formula(lambda y: 0.5 * ops.roll(y, 1, axis=2) + offset)


def gated():
    """D(y) = min(y, 0)."""
    return Formula(keras.layers.ReLU())


def curved():
    """D(y) = y - tanh(y)."""
    return Formula(ops.tanh)


@pytest.fixture
def image():
    return np.random.default_rng(0).uniform(-1, 1, (4, 6, 1)).astype(np.float32)


def nearby(image, level):
    """The noise by which `curvature` looks around an image with seed 0, float64."""
    near = image + np.float32(level) * keyed_normal(0, [0], 2, image.shape)[0]
    return near.astype(np.float64) - image


def expected_curvature(denoise, factors, image, level):
    """|D(y + n) - D(y) - J n| / |J n| in float64, for J = diag(factors)."""
    noise, y = nearby(image, level), image.astype(np.float64)
    change = denoise(y + noise) - denoise(y)
    return np.linalg.norm(change - factors * noise) / np.linalg.norm(factors * noise)


@pytest.mark.parametrize("offset", [0.3, 1e-3])
def test_an_affine_denoiser(image, offset):
    basis = eigenbasis(affine(offset), image, 6, "exact")
    denoised = image - 0.5 * np.roll(image, 1, axis=1) - offset
    part = offset * np.sqrt(image.size) / np.linalg.norm(denoised)
    # |b| and |D(y)| are rounded once each.
    assert basis.affine_part == pytest.approx(part, abs=tolerances.OUTPUT)
    assert basis.affine_part == basis.linearity_error
    assert basis.curvature == 0
    # |J|^2 = d (1 + 1/4) and |J - J^T|^2 = d (1/4 + 1/4).
    assert basis.statistics.asymmetry == pytest.approx(np.sqrt(0.5 / 1.25), abs=1e-5)


def test_a_denoiser_without_bias_has_no_affine_part(linearizer, noisy):
    basis = eigenbasis(linearizer, noisy, 4, sigma=0.1)
    assert basis.affine_part < tolerances.OUTPUT
    assert 0 < basis.curvature < 0.5
    assert basis.curvature_level == 0.1 / 10
    jacobian = linearizer.at(noisy)
    assert jacobian.curvature(0.01) == basis.curvature != jacobian.curvature(0.01, seed=1)


def test_gates_that_change_are_curvature(image):
    found = Linearizer(gated()).at(image).curvature(0.3)
    expected = expected_curvature(lambda y: np.minimum(y, 0), image < 0, image, 0.3)
    assert expected > 0.1
    # Outputs are rounded to 1e-7, and their differences are half as large as they.
    assert found == pytest.approx(expected, rel=1e-5)


def test_curvature_grows_with_the_level(image):
    jacobian = Linearizer(curved()).at(image)
    found = [jacobian.curvature(level) for level in (0.02, 0.04)]
    expected = [
        expected_curvature(lambda y: y - np.tanh(y), np.tanh(image) ** 2, image, level)
        for level in (0.02, 0.04)
    ]
    # Outputs are rounded to 1e-7; what is left of their differences of 0.01 is a tenth of these.
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert found[1] / found[0] == pytest.approx(2, rel=0.1)


def test_a_level_is_chosen(image):
    jacobian = Linearizer(curved()).at(image)
    size = np.sqrt(np.mean(image**2))
    assert jacobian.nearby_level() == pytest.approx(size / 100)
    assert jacobian.nearby_level(0.3) == pytest.approx(0.03)
    assert jacobian.curvature() == jacobian.curvature(jacobian.nearby_level())
    flat = Linearizer(curved()).at(np.zeros((4, 4, 1)))
    assert flat.nearby_level() == 0.01
    for level in (0, -1, float("nan")):
        with pytest.raises(InputError, match="level"):
            jacobian.curvature(level)


@pytest.mark.one_backend
def test_the_best_linear_denoiser(smooth_images):
    images = smooth_images(30, 4, 4, 3).astype(np.float64)
    images[..., 2] *= 0.3
    flat = images.reshape(30, -1)
    mean, covariance = flat.mean(axis=0), np.cov(flat.T, bias=True)
    matrix = covariance @ np.linalg.inv(covariance + 0.2**2 * np.eye(48))
    noisy = images[0] + 0.2 * np.random.default_rng(0).standard_normal(images[0].shape)
    basis = eigenbasis(Wiener.from_images(images, sigma=0.2), noisy, 3, "exact", sigma=0.2)
    offset = mean - matrix @ mean
    part = np.linalg.norm(offset) / np.linalg.norm(matrix @ noisy.ravel() + offset)
    assert part > 0.1
    assert basis.affine_part == pytest.approx(part, abs=tolerances.WIENER * 10)
    assert basis.curvature == 0
    _, vectors = np.linalg.eigh(matrix)
    power = vectors[:, :-4:-1].T.reshape(3, 16, 3) ** 2
    np.testing.assert_allclose(basis.channel_shares, power.sum(axis=1), atol=1e-4)


@pytest.mark.one_backend
def test_a_posterior_mean_is_affine_and_curved(smooth_images):
    """The mean of four images: J = Cov[x | y] / sigma^2."""
    images, sigma = smooth_images(4, 4, 4), 1.0
    flat = images.reshape(4, -1).astype(np.float64)

    def weights(y):
        exponents = -np.square(flat - y).sum(axis=1) / (2 * sigma**2)
        chances = np.exp(exponents - exponents.max())
        return chances / chances.sum()

    y = 0.7 * flat[0] + 0.3 * flat[1]
    image = y.reshape(4, 4, 1).astype(np.float32)
    basis = eigenbasis(EmpiricalBayes(images, sigma), image, 3, "exact", sigma=sigma)
    denoised = weights(y) @ flat
    deviations = flat - denoised
    matrix = (deviations.T * weights(y)) @ deviations / sigma**2
    scale = np.linalg.norm(denoised)
    part = np.linalg.norm(denoised - matrix @ y) / scale
    assert part > 0.5
    assert basis.affine_part == pytest.approx(part, abs=tolerances.EMPIRICAL_BAYES)
    assert basis.statistics.asymmetry < tolerances.JACOBIAN
    noise = nearby(image, sigma / 10).ravel()
    product = matrix @ noise
    error = weights(y + noise) @ flat - denoised - product
    curvature = np.linalg.norm(error) / np.linalg.norm(product)
    assert curvature > 0.005
    # Exponents of at most 10 are rounded to 1e-6, and so are weights and outputs.
    bound = 1e-6 * scale / np.linalg.norm(product)
    assert bound < curvature / 50
    assert basis.curvature == pytest.approx(curvature, abs=bound)


@pytest.mark.one_backend
@pytest.mark.parametrize("method", ["exact", "randomized"])
def test_vectors_are_split_by_channel(method):
    """J is a 3x3 matrix at each pixel: its largest eigenvalue belongs to one colour, at all pixels."""
    color = np.array([3.0, 2.0, 1.0]) / np.sqrt(14)
    matrix = 0.2 * np.eye(3) + 0.7 * np.outer(color, color)
    mixing = ops.convert_to_tensor(np.eye(3) - matrix, "float32")
    denoiser = Formula(lambda y: ops.matmul(y, mixing), 3)
    image = np.random.default_rng(0).random((4, 4, 3))
    basis = eigenbasis(denoiser, image, 5, method)
    np.testing.assert_allclose(basis.shrinkage, 0.9, atol=1e-5)
    # The eigenvalues are 0.7 apart, so that rounding turns the vectors as little.
    np.testing.assert_allclose(basis.channel_shares, [color**2] * 5, atol=1e-5)


@pytest.mark.one_backend
def test_grey_vectors_lie_in_their_channel(image):
    basis = eigenbasis(curved(), image, 4, "exact")
    np.testing.assert_array_equal(basis.channel_shares, np.ones((4, 1)))
    text = "\n".join(eigenbasis_verdict(eigenbasis_numbers(basis, image, 0.0)))
    assert "channel" not in text
    assert f"affine part |b| / |D(y)| {100 * basis.affine_part:.1f} %" in text
    assert f"curvature {100 * basis.curvature:.1f} %" in text


@pytest.mark.one_backend
@pytest.mark.parametrize("channels", [2, 4, 5])
def test_channels_without_colours_are_drawn(channels, tmp_path):
    noisy = np.random.default_rng(0).random((4, 4, channels))
    basis = eigenbasis(Formula(lambda y: y / 2, channels), noisy, 2, "exact")
    drawn = {path.stem for path in basis.save(tmp_path / "out").glob("*.png")}
    assert drawn == {"channels", "denoising", "eigenvectors", "spectrum"}
    np.testing.assert_allclose(basis.channel_shares.sum(axis=1), 1)


def test_a_network_that_is_told_the_level(image):
    """The mean of images around 0.5, which is affine at each level: J = I / (1 + sigma^2)."""

    def posterior(y, sigma):
        return 0.5 + (y - 0.5) / (1 + ops.reshape(sigma, (-1, 1, 1, 1)) ** 2)

    denoiser = wrap(posterior, predicts="image", schedule="sigma", channels=1)
    for sigma in (0.5, 2):
        basis = eigenbasis(denoiser, image, 3, "exact", sigma=sigma)
        factor = 1 / (1 + sigma**2)
        np.testing.assert_allclose(basis.shrinkage, factor, atol=tolerances.JACOBIAN)
        offset = 0.5 * (1 - factor)
        part = offset * np.sqrt(image.size) / np.linalg.norm(factor * image + offset)
        assert basis.affine_part == pytest.approx(part, abs=tolerances.OUTPUT)
        assert (basis.curvature, basis.curvature_level) == (0, sigma / 10)
