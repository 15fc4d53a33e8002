"""Log densities against laws whose density is known."""

import dataclasses
import re

import numpy as np
import pytest
from scipy import special

import keras_gahr as kg
from keras_gahr import InputError
from keras_gahr.analysis import DensityComparison, LogDensity, log_density
from keras_gahr.analysis.density.own_noise import BYTES_NOISE, DEQUANTIZING
from keras_gahr.analysis.intervals import area_interval
from keras_gahr.baselines import EmpiricalBayes, GaussianMixture, Wiener
from keras_gahr.datasets import MixtureOfGaussians
from keras_gahr.denoisers.foreign.schedule import GivenSigma
from keras_gahr.noise import keyed_normal

QUIET = {"progress": False}


class Gaussian:
    """Images of side x side pixels, eigenvalues scale / k, and their density."""

    def __init__(self, side, scale=0.05, mean=0.5, seed=0):
        self.shape, self.rng = (side, side, 1), np.random.default_rng(seed)
        size = side * side
        self.variances = scale / np.arange(1, size + 1)
        self.vectors = np.linalg.qr(self.rng.standard_normal((size, size)))[0]
        self.mean = np.full(self.shape, mean)
        self.wiener = Wiener(self.mean, self.vectors, self.variances)

    def draw(self, count):
        values = self.rng.standard_normal((count, len(self.variances))) * np.sqrt(self.variances)
        return (self.mean + (values @ self.vectors.T).reshape(-1, *self.shape)).astype(np.float32)

    def log_density(self, images, noise=0.0):
        values = (images - self.mean).reshape(len(images), -1).astype(np.float64) @ self.vectors
        variances = self.variances + noise**2
        powers = np.sum(values**2 / variances, axis=1)
        return -(powers + np.sum(np.log(2 * np.pi * variances))) / 2


@pytest.fixture(scope="module")
def small():
    return Gaussian(8)


@pytest.mark.one_backend
@pytest.mark.parametrize("evaluations", [50, 200])
def test_the_interval_holds_the_density_as_often_as_it_says(small, evaluations):
    """Of 200 images, each with noise of its own."""
    images = small.draw(200)
    found = log_density(small.wiener, images, evaluations=evaluations, **QUIET)
    errors = found.log_density - small.log_density(images)
    # Of 200, 180 to 198 are within four standard deviations of 95%, on both sides.
    assert 0.88 <= np.mean(np.abs(errors) < found.reach) <= 1.0
    assert np.abs(errors.mean()) < 4 * errors.std() / np.sqrt(200) + 0.01 * 64
    # The error that is stated is the one that is made.
    assert errors.std() == pytest.approx(found.standard_error.mean(), rel=0.3)
    assert np.all(found.evaluations <= evaluations)
    # Without a control: .25 bits from 50 evaluations.
    assert np.sqrt(np.mean(errors**2)) / 64 / np.log(2) < {50: 0.13, 200: 0.05}[evaluations]


@pytest.mark.one_backend
@pytest.mark.parametrize("small", [1e-8, 1e-4])
def test_the_error_where_few_directions_are_left_at_the_lowest_level(small):
    """What is below that level follows from how many there are."""
    law = Gaussian(8)
    variances = np.where(np.arange(64) < 6, 0.1, small)
    denoiser = Wiener(law.mean, law.vectors, variances)
    values = law.rng.standard_normal(64) * np.sqrt(variances)
    image = law.mean + (law.vectors @ values).reshape(law.shape)
    found = log_density(denoiser, np.stack([image] * 60), sigmas=(0.03, 5.0), **QUIET)
    # That of a standard deviation of 60 is 9%.
    assert found.log_density.std(ddof=1) == pytest.approx(found.standard_error.mean(), rel=0.3)


def test_a_thousand_dimensions():
    law = Gaussian(32)
    images = law.draw(16)
    found = log_density(law.wiener, images, evaluations=50, **QUIET)
    errors = found.bits_per_dimension + law.log_density(images) / (1024 * np.log(2))
    assert np.sqrt(np.mean(errors**2)) < 0.03
    assert found.dimension == 1024 and found.dequantization == 0


def test_the_flow_finds_the_same(small):
    images = small.draw(24)
    found = log_density(small.wiener, images, method="flow", **QUIET)
    errors = found.log_density - small.log_density(images)
    assert np.mean(np.abs(errors) < found.reach) >= 0.8
    assert np.abs(errors).max() < 4 * found.standard_error.max()
    assert found.method == "flow" and np.all(found.evaluations <= 400)


@pytest.mark.one_backend
def test_the_flow_begins_at_the_noise_of_the_images(small):
    """And says which levels it went through."""
    images, own = small.draw(24), 0.03
    options = {"method": "flow", "dequantize": own, **QUIET}
    found = log_density(small.wiener, images, seed=3, **options)
    noisy = images + own * keyed_normal(3, range(24), DEQUANTIZING, small.shape)
    errors = found.log_density - small.log_density(noisy, own)
    assert np.abs(errors).max() < 4 * found.standard_error.max()
    assert found.sigmas == (own, 1.0)
    assert found.levels[0] == own and found.levels[-1] == pytest.approx(1)
    again = log_density(small.wiener, images, seed=3, sigmas=found.sigmas, **options)
    np.testing.assert_array_equal(again.log_density, found.log_density)
    # It goes no further up if that is asked for.
    higher = log_density(small.wiener, images, seed=3, sigmas=(own, 5.0), **options)
    assert higher.sigmas == found.sigmas
    # Of less noise than there is, or more, the density would be another one.
    for low in (0.01, 0.1):
        with pytest.raises(InputError, match=rf"noise of 0.03 of their own.* dequantize {low}"):
            log_density(small.wiener, images, sigmas=(low, 1.0), **options)
    for wrong in ({"dequantize": 2}, {"dequantize": 0, "sigmas": (2, 3)}):
        with pytest.raises(InputError, match=r"level of 2 to begin with.* ends at 1: give lower"):
            log_density(small.wiener, images, **{**options, **wrong})


class FromOneLevelToAnother(GivenSigma):
    limits = (0.0050003, 1.0)


@pytest.fixture
def limited():
    """The best denoiser of pixels with mean .5 and variance .01, which knows noise from .005 to 1."""

    def noise(noisy, sigma):
        return (noisy - 0.5) * (sigma**2 / (0.01 + sigma**2))[:, None, None, None]

    return kg.wrap(noise, "residual", FromOneLevelToAnother(), channels=1)


@pytest.mark.one_backend
def test_the_flow_of_a_denoiser_with_a_lowest_level(limited):
    values = np.random.default_rng(0).normal(127.5, 25.5, (8, 8, 8, 1))
    images = values.clip(0, 255).astype(np.uint8)
    with pytest.raises(InputError, match=r"0.00113 of their own.*give dequantize 0.00505, or"):
        log_density(limited, images, method="flow", **QUIET)
    found = log_density(limited, images, method="flow", dequantize=0.00505, **QUIET)
    assert found.sigmas == (0.00505, 1.0) and found.dequantization == 0.00505
    noise = 0.00505 * keyed_normal(0, range(8), DEQUANTIZING, (8, 8, 1))
    powers = np.sum((images / 255 + noise - 0.5) ** 2, axis=(1, 2, 3))
    variance = 0.01 + 0.00505**2
    expected = -powers / (2 * variance) - 32 * np.log(2 * np.pi * variance)
    assert np.abs(found.log_density - expected).max() < 0.05


@pytest.mark.one_backend
def test_no_denoiser_is_asked_about_more_noise_than_it_knows(limited):
    """With that of the images: sigma = 1 and .1 are more than 1."""
    images = 0.5 + 0.1 * np.random.default_rng(0).standard_normal((4, 8, 8, 1))
    found = log_density(limited, images, dequantize=0.1, **QUIET)
    assert found.sigmas[1] == pytest.approx(np.sqrt(0.99))
    noisy = images + 0.1 * keyed_normal(0, range(4), DEQUANTIZING, (8, 8, 1))
    powers = np.sum((noisy - 0.5) ** 2, axis=(1, 2, 3))
    expected = -powers / 0.04 - 32 * np.log(2 * np.pi * 0.02)
    assert np.all(np.abs(found.log_density - expected) < 3 * found.reach)
    with pytest.raises(
        InputError, match=r"no levels beside .* noise of 1: give a lower dequantize"
    ):
        log_density(limited, images, dequantize=1, **QUIET)


@pytest.mark.one_backend
def test_a_mixture_of_gaussians():
    means = np.stack([np.full((8, 8, 1), 0.3), np.full((8, 8, 1), 0.7)])
    bases = np.linalg.qr(np.random.default_rng(0).standard_normal((2, 64, 3)))[0]
    law = MixtureOfGaussians([0.3, 0.7], means, bases, np.full((2, 3), 0.2), [2e-3, 4e-3])
    images = means.repeat(6, axis=0) + 0.05 * np.random.default_rng(1).standard_normal(
        (12, 8, 8, 1)
    )
    found = log_density(GaussianMixture(law), images, evaluations=400, dequantize=0, **QUIET)
    errors = found.log_density - law.log_density(images)
    assert np.all(np.abs(errors) < 2 * found.reach)


@pytest.mark.one_backend
def test_training_images_of_a_copy():
    images = np.random.default_rng(0).random((5, 8, 8, 1)).astype(np.float32)
    found = log_density(EmpiricalBayes(images), images, dequantize=0.05, seed=3, **QUIET)
    noise = keyed_normal(3, range(5), DEQUANTIZING, (8, 8, 1))
    squares = np.sum((images + 0.05 * noise - images[:, None]) ** 2, axis=(2, 3, 4)).T
    expected = special.logsumexp(-squares / (2 * 0.05**2), axis=1) - np.log(5)
    expected -= 32 * np.log(2 * np.pi * 0.05**2)
    assert np.all(np.abs(found.log_density - expected) < 2 * found.reach)


@pytest.mark.one_backend
def test_rescaled_images():
    """Of values s x the density is less by a factor of s^d."""
    law, half = Gaussian(8), Gaussian(8, scale=0.05 / 4, mean=0.25)
    images = law.draw(6)
    found = [log_density(of.wiener, x, **QUIET) for of, x in ((law, images), (half, images / 2))]
    change = found[1].log_density - found[0].log_density
    assert np.all(np.abs(change - 64 * np.log(2)) < found[0].reach + found[1].reach)


@pytest.mark.one_backend
def test_flipped_images_of_a_law_that_does_not_see_it():
    shape = (8, 8, 1)
    law = MixtureOfGaussians([1.0], np.full((1, *shape), 0.5), floors=[0.01], **_no_directions(64))
    images = 0.5 + 0.1 * np.random.default_rng(0).standard_normal((4, *shape))
    found = [log_density(GaussianMixture(law), x, **QUIET) for x in (images, images[:, :, ::-1])]
    assert np.all(
        np.abs(found[0].log_density - found[1].log_density) < found[0].reach + found[1].reach
    )


def _no_directions(size):
    return {"bases": np.zeros((1, size, 1)), "variances": np.zeros((1, 1))}


def test_no_result_depends_on_how_many_are_computed_at_once(small):
    images = small.draw(5)
    options = {"evaluations": 100, **QUIET}
    found = log_density(small.wiener, images, batch_size=32, **options)
    other = log_density(small.wiener, images, batch_size=3, **options)
    np.testing.assert_allclose(other.log_density, found.log_density, rtol=1e-5)
    last = log_density(small.wiener, images[3:], first=3, **options)
    np.testing.assert_allclose(last.log_density, found.log_density[3:], rtol=1e-5)
    again = log_density(small.wiener, images, seed=1, **options)
    assert np.all(again.log_density != found.log_density)


@pytest.mark.one_backend
def test_it_goes_on_until_the_error_is_reached(small):
    images = small.draw(3)
    found = log_density(small.wiener, images, evaluations=100, error=0.02, **QUIET)
    assert found.bits_error.max() <= 0.02 and found.evaluations.min() > 100
    with pytest.warns(UserWarning, match="above 0.001 bits per dimension after 200 evaluations"):
        log_density(small.wiener, images, evaluations=100, error=0.001, most=200, **QUIET)


def test_a_network_that_is_told_the_noise_level(small):
    # (y - m) sigma^2 / (s^2 + sigma^2), of equal variance.
    def noise(noisy, sigma):
        return (noisy - 0.5) * (sigma**2 / (0.01 + sigma**2))[:, None, None, None]

    denoiser = kg.wrap(noise, "residual", "sigma", channels=1)
    images = 0.5 + 0.1 * np.random.default_rng(0).standard_normal((4, 8, 8, 1))
    found = log_density(denoiser, images, **QUIET)
    expected = -50 * np.sum((images - 0.5) ** 2, axis=(1, 2, 3)) - 32 * np.log(2 * np.pi * 0.01)
    # Above sigma = 1 images count as normal, which they are.
    assert np.all(np.abs(found.log_density - expected) < 3 * found.reach)
    kept = 0.01 / (0.01 + np.square(found.levels))
    np.testing.assert_allclose(found.errors.mean(axis=0), kept, rtol=0.3)


@pytest.mark.one_backend
def test_bytes_get_noise_and_floats_do_not(small):
    bytes_of = np.random.default_rng(0).integers(256, size=(2, 8, 8, 1), dtype=np.uint8)
    options = {"evaluations": 20, **QUIET}
    for images, noise in ((bytes_of, BYTES_NOISE), (bytes_of / 255, BYTES_NOISE)):
        assert log_density(small.wiener, images, **options).dequantization == noise
    assert log_density(small.wiener, bytes_of / 254.5, **options).dequantization == 0
    assert log_density(small.wiener, bytes_of, dequantize=0.1, **options).dequantization == 0.1


@pytest.mark.one_backend
def test_a_network_is_asked_as_far_down_as_it_denoises(tiny_model):
    """Below, what it leaves would count without end."""
    images = np.random.default_rng(0).integers(256, size=(2, 8, 8), dtype=np.uint8)
    found = log_density(kg.load_denoiser(tiny_model), images, evaluations=20, **QUIET)
    assert 10**-3.5 < found.sigmas[0] < found.sigmas[1] == 1
    # Of a network it is measured how far it is from a gradient.
    assert 0 < found.asymmetry < 2 and found.asymmetry_sigma == max(0.1, found.sigmas[0])
    assert found.numbers()["asymmetry"] == found.asymmetry
    given = log_density(
        kg.load_denoiser(tiny_model),
        images,
        evaluations=20,
        sigmas=(0.1, 0.9),
        asymmetry=0,
        **QUIET,
    )
    assert given.sigmas == (0.1, 0.9) and given.asymmetry is None


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("method", "what"), [("mmse", "|x - D(y)|^2 / (d sigma^2)"), ("flow", "tr J / d")]
)
def test_what_does_not_denoise_is_said(small, method, what, recwarn):
    images = small.draw(2)
    options = {"method": method, "evaluations": 24, "sigmas": (0.01, 0.9), "asymmetry": 0, **QUIET}
    log_density(small.wiener, images, **options)
    assert all(each.category is not UserWarning for each in recwarn)
    # Twice the noisy image is further from the clean one, the more so the less noise there is.
    doubling = kg.wrap(lambda y: 2 * y, predicts="image", channels=1)
    log_density(doubling, images, **options)
    # Keras has others.
    (warning,) = (each for each in recwarn if each.category is UserWarning)
    assert warning.filename == __file__
    said = str(warning.message)
    assert re.match(
        r"the denoiser does no good at (\d+) of \1 noise levels, sigma = 0.01\d* to 0.", said
    )
    assert what in said


@pytest.mark.one_backend
def test_what_leaves_images_as_they_are_is_said(small):
    idle = kg.wrap(lambda y: 1.0 * y, predicts="image", channels=1)
    with pytest.warns(
        UserWarning, match=r"does no good at 3 of 3 noise levels, sigma = 0.5\d* to 0.9"
    ):
        log_density(idle, small.draw(8), evaluations=12, asymmetry=0, **QUIET)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "ode"}, "received method 'ode', expected mmse or flow"),
        ({"evaluations": 3}, "evaluations"),
        ({"error": 0}, "expected a standard error above 0"),
        ({"error": 0.1, "method": "flow"}, "an error, which is for mmse"),
        ({"dequantize": -1}, "received dequantize -1"),
        ({"sigmas": [1, 0.1]}, "the lowest and the highest one"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_is_refused(small, options, words):
    with pytest.raises(InputError, match=words):
        log_density(small.wiener, np.zeros((1, 8, 8, 1)), **options)


def density(values):
    values = np.asarray(values, float)
    reach = np.full(len(values), 0.1)
    passes = np.full(len(values), 400)
    return LogDensity(values, reach / 2, reach, passes, 64, "mmse", 0.0, (0.01, 1.0), 0)


@pytest.mark.one_backend
def test_comparisons(tmp_path):
    images = np.random.default_rng(0).random((40, 8, 8, 1))
    values = np.random.default_rng(1).standard_normal(40)
    compared = DensityComparison.of(
        density(values), images, others=density(values[:20] - 1), twin=density(values[::-1])
    )
    share, (low, high) = compared.told_apart
    assert low < share < high and low > 0.5 and 0.6 < share < 0.9
    value, (low, high) = compared.agreement
    assert value == pytest.approx(np.corrcoef(values, values[::-1])[0, 1])
    assert low < 0 < high
    np.testing.assert_array_equal(compared.images[0], images[np.argmax(values)])
    np.testing.assert_array_equal(compared.images[-1], images[np.argmin(values)])
    folder = compared.save(tmp_path / "found")
    assert {path.name for path in folder.iterdir()} == {
        "density.json",
        "density.npz",
        "density.csv",
        "density.png",
        "ranking.png",
        "others.png",
        "agreement.png",
    }
    rows = (folder / "density.csv").read_text().splitlines()
    assert [int(row.split(",")[0]) for row in rows[1:]] == list(range(40))
    # Sets that do not overlap may be others' the next time.
    apart = dataclasses.replace(compared, others=density(values[:4] - 9))
    assert apart.told_apart == (1.0, area_interval(1.0, 40, 4))
    alone = dataclasses.replace(compared, others=None, twin=None)
    assert alone.told_apart is None and alone.agreement is None
