"""The teacher of a mixture of Gaussians against brute force in float64."""

import numpy as np
import pytest
import tolerances
from keras import ops

from keras_gahr import InputError, load_denoiser, save_denoiser
from keras_gahr.analysis import Linearizer
from keras_gahr.baselines import EmpiricalBayes, GaussianMixture, Wiener
from keras_gahr.datasets import MOLRG, MixtureOfGaussians, mixture_images, mixture_law
from keras_gahr.denoisers import Inference

SHAPE = (4, 5, 2)
SIZE = 40


def covariance(basis, variances, floor):
    return (basis * (variances - floor)) @ basis.T + floor * np.eye(len(basis))


def brute_force(law, noisy, sigma):
    """Posterior means, log densities and Jacobians, by inverses and determinants."""
    means, logs, gains = [], [], []
    y = np.float64(noisy).reshape(len(noisy), -1)
    eye = np.eye(y.shape[1])
    for weight, mean, *parts in zip(
        law.weights, law.means, law.bases, law.variances, law.floors, strict=True
    ):
        own = covariance(*parts)
        whole = own + sigma**2 * eye
        deviation, gain = y - mean.reshape(-1), own @ np.linalg.inv(whole)
        squares = np.sum(deviation @ np.linalg.inv(whole) * deviation, axis=1)
        logs.append(np.log(weight) - (squares + np.linalg.slogdet(2 * np.pi * whole)[1]) / 2)
        means.append(mean.reshape(-1) + deviation @ gain.T)
        gains.append(gain)
    density = np.logaddexp.reduce(logs)
    posterior = np.exp(logs - density)
    mean = np.einsum("kn,knd->nd", posterior, means)
    second = np.einsum("kn,knd,kne->nde", posterior, means, means)
    spread = (second - mean[:, :, None] * mean[:, None]) / sigma**2
    jacobians = np.einsum("kn,kde->nde", posterior, gains) + spread
    return mean.reshape(noisy.shape), density, jacobians


def laws():
    options = {"size": SHAPE[:2], "channels": SHAPE[2], "classes": 3}
    return {
        "low ranks": mixture_law(**options, rank=[3, 7, 1], spread=0.3, weights=[3, 1, 2]),
        "full ranks": mixture_law(**options, rank=4, floor=0.05, spread=0.5),
        "one of all directions": mixture_law(
            **options, rank=[40, 3, 0], floor=0.2, overlapping=True, law_seed=3
        ),
    }


def noisy_of(law, sigma, count=5, seed=0):
    generator = np.random.default_rng(seed)
    classes = np.arange(count) % len(law.weights)
    normals = generator.standard_normal((count, law.bases.shape[2]))
    rest = generator.standard_normal((count, law.bases.shape[1]))
    clean = law.draw(classes, normals, rest)
    return (clean + sigma * generator.standard_normal(clean.shape)).astype(np.float32)


@pytest.mark.parametrize("name", laws())
def test_all_is_what_brute_force_finds(name):
    law = laws()[name]
    teacher = GaussianMixture(law, sigma=1)
    inference = Inference(teacher)
    for sigma in (0.01, 0.1, 0.5):
        teacher.set_sigma(sigma)
        noisy = noisy_of(law, sigma)
        mean, density, jacobians = brute_force(law, noisy, sigma)
        np.testing.assert_allclose(inference.denoise(noisy), mean, atol=tolerances.GAUSSIAN_MIXTURE)
        # The teacher's law is stored in float32; a log density of 100 nats at sigma 0.01 sees it.
        np.testing.assert_allclose(law.log_density(noisy, sigma), density, rtol=1e-9)
        np.testing.assert_allclose(teacher.log_density(noisy), density, rtol=1e-4)
        np.testing.assert_allclose(law.jacobian(noisy[0], sigma), jacobians[0], atol=1e-9)
        np.testing.assert_allclose(
            teacher.jacobian(noisy[0]), jacobians[0], atol=tolerances.JACOBIAN
        )


def test_the_jacobian_is_the_derivative_and_the_residual_that_of_the_density():
    """The second is Tweedie's formula."""
    law, sigma = mixture_law(size=SHAPE[:2], channels=2, rank=3, spread=0.2), 0.15
    teacher = GaussianMixture(law, sigma)
    # Between the two classes, so that both, and the way from one to the other, are kept.
    noisy = np.float32(law.means.mean(axis=0)) + 0.1 * (noisy_of(law, sigma, 1)[0] - 0.5)
    jacobian = teacher.jacobian(noisy)
    assert np.sum(np.linalg.eigvalsh(jacobian) > 0.01) == 3 + 3 + 1
    found = Linearizer(teacher).at(noisy).matrix()
    np.testing.assert_allclose(found.reshape(SIZE, SIZE), jacobian, atol=tolerances.JACOBIAN)
    step = 1e-5
    along = step * np.eye(SIZE).reshape(SIZE, *SHAPE)
    points = np.float64(noisy) + np.concatenate([along, -along])
    above, below = law.log_density(points, sigma).reshape(2, SIZE)
    score = (above - below) / (2 * step)
    residual = Inference(teacher).residual(noisy[None]).reshape(-1)
    np.testing.assert_allclose(score * sigma**2, -residual, atol=1e-5)


@pytest.mark.one_backend
def test_one_class_is_the_wiener_filter():
    images = np.random.default_rng(0).random((60, *SHAPE))
    flat = images.reshape(60, -1)
    law = MixtureOfGaussians.from_covariances(
        images.mean(axis=0)[None], np.cov(flat.T, bias=True)[None]
    )
    noisy = images[:4] + 0.1 * np.random.default_rng(1).standard_normal((4, *SHAPE))
    for sigma in (0.1, None):
        found, expected = GaussianMixture(law, sigma), Wiener.from_images(images, sigma=sigma)
        np.testing.assert_allclose(
            Inference(found).denoise(noisy),
            Inference(expected).denoise(noisy),
            atol=10 * tolerances.WIENER,
        )


@pytest.mark.one_backend
def test_classes_without_covariance_are_the_training_images(monkeypatch):
    from keras_gahr.baselines import gaussian_mixture

    images = np.random.default_rng(0).random((30, *SHAPE))
    monkeypatch.setattr(gaussian_mixture, "_BLOCK_VALUES", 7 * SIZE)
    law = MixtureOfGaussians(np.ones(30), images, np.zeros((30, SIZE, 0)), np.zeros((30, 0)))
    assert law.ranks == [0] * 30
    noisy = images[:5] + 0.5 * np.random.default_rng(1).standard_normal((5, *SHAPE))
    teacher, copies = GaussianMixture(law, 1), EmpiricalBayes(images, 1)
    assert len(teacher.residual_layer.blocks) == 5
    # Compiled once: the noise level is read at each call.
    both = Inference(teacher), Inference(copies)
    for sigma in (0.02, 0.5):
        teacher.set_sigma(sigma)
        copies.set_sigma(sigma)
        found, expected = (each.denoise(noisy) for each in both)
        np.testing.assert_allclose(found, expected, atol=tolerances.EMPIRICAL_BAYES)


def test_the_most_likely_noise_level():
    law = laws()["low ranks"]
    noisy = np.concatenate([noisy_of(law, sigma, 2) for sigma in (0.02, 0.3)])
    levels = np.geomspace(0.01, 0.6, 1000)
    densities = [law.log_density(noisy, level) for level in levels]
    blind = GaussianMixture(law)
    estimated = ops.convert_to_numpy(blind.estimate_sigma(noisy))
    np.testing.assert_allclose(estimated, levels[np.argmax(densities, axis=0)], rtol=1e-2)
    expected = brute_force(law, noisy[:1], estimated[0])[0]
    found = Inference(blind).denoise(noisy[:1])
    np.testing.assert_allclose(found, expected, atol=tolerances.GAUSSIAN_MIXTURE)


@pytest.mark.one_backend
def test_densities_integrate_to_one():
    means = [[[[0.2, 0.4]]], [[[0.6, 0.5]]]]
    law = MixtureOfGaussians.from_covariances(
        means, [[[0.02, 0.01], [0.01, 0.02]], [[0.01, 0], [0, 0.04]]], [1, 3]
    )
    axis = np.linspace(-1.5, 2.5, 301)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 1, 1, 2)
    for sigma in (0, 0.1):
        mass = np.exp(law.log_density(grid, sigma)).sum() * (axis[1] - axis[0]) ** 2
        assert mass == pytest.approx(1, abs=1e-6)


@pytest.mark.one_backend
def test_a_file_keeps_it(tmp_path):
    teacher = GaussianMixture(mixture_law(**MOLRG), sigma=0.1, provenance={"source": "a test"})
    noisy = mixture_images(3, seed=0, **MOLRG)
    save_denoiser(teacher, tmp_path / "x.keras")
    loaded = load_denoiser(tmp_path / "x.keras")
    for found, expected in (
        (loaded.denoise(noisy), teacher.denoise(noisy)),
        (loaded.log_density(noisy), teacher.log_density(noisy)),
        (loaded.at(0.2).jacobian(noisy[0]), teacher.jacobian(noisy[0], sigma=0.2)),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.one_backend
def test_what_is_refused():
    law = mixture_law(**MOLRG)
    teacher, image = GaussianMixture(law), np.full((4, 4, 3), 0.5)
    with pytest.raises(InputError, match="MixtureOfGaussians"):
        GaussianMixture(image)
    with pytest.raises(InputError, match="give a sigma"):
        teacher.log_density(image[None])
    with pytest.raises(InputError, match="not of full rank"):
        teacher.log_density(image[None], sigma=0)
    with pytest.raises(InputError, match="above 0"):
        teacher.jacobian(image, sigma=0)
    with pytest.raises(InputError, match="as the law has"):
        law.log_density(np.zeros((1, 4, 5, 3)), 0.1)
    with pytest.raises(InputError, match="as the law has"):
        law.jacobian(np.zeros((4, 5, 3)), 0.1)
    for change, expected in (
        ({"weights": [1, 1, 1]}, "received weights of shape"),
        ({"weights": [1, 0]}, "weights above 0"),
        ({"variances": np.full((2, 7), -1)}, "at least 0"),
        ({"variances": np.ones((2, 6))}, "received variances"),
        ({"floors": [1, 2, 3]}, "floors of"),
        ({"bases": 2 * law.bases}, "other norms than 1"),
        ({"means": np.full((2, 4, 4, 3), np.nan)}, "not finite"),
        ({"means": [[1], [2, 3]]}, "array of numbers"),
    ):
        values = {name: getattr(law, name) for name in ("weights", "means", "bases", "variances")}
        with pytest.raises(InputError, match=expected):
            MixtureOfGaussians(**values | change)
    with pytest.raises(InputError, match="covariances"):
        MixtureOfGaussians.from_covariances(np.zeros((1, 2, 2)), np.eye(3)[None])


@pytest.mark.parametrize("sigma", [1e-3, 0.01])
def test_classes_that_are_alike_lose_no_digits_in_many_directions(sigma):
    """The logarithms of 4096 variances are 30,000 in all, whose rounding made the weights more than 1."""
    generator = np.random.default_rng(0)
    image = generator.uniform(0.4, 0.6, (1, 64, 64, 1))
    law = MixtureOfGaussians(
        np.ones(3), image.repeat(3, axis=0), np.zeros((3, 4096, 1)), np.zeros((3, 1))
    )
    noisy = image + sigma * generator.standard_normal((2, 64, 64, 1))
    # All classes are this image.
    np.testing.assert_allclose(
        GaussianMixture(law, sigma=sigma).denoise(noisy), image.repeat(2, axis=0), atol=1e-6
    )
