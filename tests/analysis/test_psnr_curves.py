"""PSNR curves, slopes, and the split of the error."""

import numpy as np
import pytest

from keras_gahr.analysis.error_parts import bias_variance
from keras_gahr.analysis.psnr_curves import PSNRCurve, psnr_curve
from keras_gahr.analysis.slopes import fit_slope, optimal_slope
from keras_gahr.baselines import Wiener
from keras_gahr.datasets import c_alpha_images, load
from keras_gahr.datasets.arrays import to_float
from keras_gahr.denoisers import Inference, wrap
from keras_gahr.errors import InputError
from keras_gahr.noise import keyed_normal
from keras_gahr.psnr import SIGMAS, add_noise, break_even, psnr, psnr_at, psnr_table


class Scaling(Inference):
    """D(y) = a y on grey images."""

    def __init__(self, factor):
        super().__init__(wrap(lambda y: factor * y, "image", channels=1, layout="NHWC"))

    def at_once(self, shape):
        return 3


def test_a_curve_of_a_network(tiny_denoiser, smooth_images):
    images = smooth_images(4, 16, 16)
    inference = Inference(tiny_denoiser)
    curve = psnr_curve(inference, images, (0.2, 0.05), draws=2, seed=3)
    assert curve.after.shape == (2, 2, 4)
    np.testing.assert_array_equal(curve.after[1, 0], psnr_at(inference, images, 0.2, 3)[1])
    for draw in (0, 1):
        noisy = images + np.float32(0.05) * keyed_normal(3, range(4), draw, (16, 16, 1))
        np.testing.assert_allclose(curve.before[0, draw], psnr(noisy, images))
        np.testing.assert_allclose(
            curve.after[0, draw], psnr(inference.denoise(noisy), images), atol=1e-4
        )
    assert curve.mean[0] > curve.mean[1]
    (sigma, before, after), _ = psnr_table(inference, images, curve.sigmas, 3)
    assert (sigma, before) == (0.05, pytest.approx(curve.before[0, 0].mean()))
    assert after == pytest.approx(curve.after[0, 0].mean())


@pytest.mark.one_backend
@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float16, np.float64])
def test_images_are_taken_a_pass_at_a_time(dtype, monkeypatch):
    """As they are stored, with the numbers of float32 images all at once."""
    values = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 1))
    images = values.astype(np.uint8) if dtype == np.uint8 else (values / 255).astype(dtype)
    whole = to_float(images)
    seen = []

    class Watched(Scaling):
        def denoise(self, noisy, **options):
            seen.append(len(noisy))
            return super().denoise(noisy, **options)

    one = psnr_curve(Watched(0.9), images, [0.1, 0.5], draws=2, seed=1)
    assert seen == 4 * [3, 3, 1]
    monkeypatch.setattr(Scaling, "at_once", lambda self, shape: 100)
    other = psnr_curve(Scaling(0.9), whole, [0.1, 0.5], draws=2, seed=1)
    np.testing.assert_array_equal(one.before, other.before)
    np.testing.assert_array_equal(one.after, other.after)


@pytest.mark.one_backend
def test_a_dataset_is_measured_as_its_array(tiny_denoiser, tmp_path):
    np.save(tmp_path / "images.npy", np.arange(192, dtype=np.uint8).reshape(2, 12, 8))
    dataset = load(tmp_path / "images.npy")
    found, expected = (
        psnr_curve(tiny_denoiser, images, [0.1]) for images in (dataset, dataset.images)
    )
    np.testing.assert_array_equal(found.after, expected.after)


def test_a_pass_is_as_large_as_one_of_the_network(tiny_denoiser, smooth_images):
    images = smooth_images(5, 8, 8)
    curves = [
        psnr_curve(Inference(tiny_denoiser, batch_size=size), images, [0.1]) for size in (2, 5)
    ]
    np.testing.assert_allclose(curves[0].after, curves[1].after, atol=1e-4)


@pytest.mark.parametrize("made_with", [None, 0.7])
def test_a_baseline_that_is_told_each_level(made_with):
    images = c_alpha_images(300, 8, 0, 2)
    train, tests = images[:250], images[250:266]
    wiener = Wiener.from_images(train, sigma=made_with)
    before = wiener.get_weights()
    curve = psnr_curve(wiener, tests, [0.2, 0.02], told=True)
    assert all(map(np.array_equal, wiener.get_weights(), before))
    flat, clean = (each.reshape(len(each), -1).astype(np.float64) for each in (train, tests))
    mean, covariance = flat.mean(axis=0), np.cov(flat.T, bias=True)
    for sigma, found in zip((0.02, 0.2), curve.after[:, 0], strict=True):
        noisy = add_noise(tests, sigma).reshape(len(tests), -1)
        gain = np.linalg.solve(covariance + sigma**2 * np.eye(64), covariance)
        # The denoiser computes in float32.
        np.testing.assert_allclose(found, psnr(clean, mean + (noisy - mean) @ gain), atol=2e-3)
    if made_with is None:
        assert curve.mean[0] > psnr_curve(wiener, tests, [0.02]).mean[0] + 1


@pytest.mark.one_backend
def test_error_bars_are_those_of_repeated_measurements():
    """Over many sets of images, and over many seeds for one set, the mean varies as they say."""
    rng = np.random.default_rng(0)
    identity = Scaling(1)

    def measure(images, seed):
        return psnr_curve(identity, images, [0.1], draws=4, seed=seed)

    images = rng.random((8, 6, 6, 1), np.float32)
    curves = [measure(images, seed) for seed in range(200)]
    spread = np.std([curve.mean[0] for curve in curves])
    assert np.mean([curve.error_over_draws[0] for curve in curves]) == pytest.approx(
        spread, rel=0.2
    )

    half = Scaling(0.5)
    sets = [rng.random((8, 2, 2, 1), np.float32) for _ in range(300)]
    curves = [psnr_curve(half, each, [0.01], draws=2, seed=k) for k, each in enumerate(sets)]
    spread = np.std([curve.mean[0] for curve in curves])
    found = np.mean([curve.error_over_images[0] for curve in curves])
    assert found == pytest.approx(spread, rel=0.2)
    one = psnr_curve(half, sets[0][:1], [0.01])
    assert np.isnan([one.error_over_images[0], one.error_over_draws[0]]).all()


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([41, 31, 21], 0),
        ([30, 29, 25], 10 ** (-1.5 + 0.5 / 6)),
        ([41, 28, 25], 10 ** (-1.5 + 0.5 * 2 / 7)),
        ([41, 31, 20], np.inf),
    ],
)
def test_an_image_is_left_as_it_is_below(after, expected):
    assert break_even([0.01, 10**-1.5, 0.1], [40, 30, 20], after) == pytest.approx(expected)


@pytest.mark.one_backend
@pytest.mark.parametrize("alpha", [1, 2, 5])
def test_slopes_of_a_power_law(alpha):
    sigmas = np.array(SIGMAS)
    rng = np.random.default_rng(0)
    exponent = 2 * alpha / (alpha + 1)
    clean = -10 * np.log10(0.3 * sigmas**exponent)[:, None, None]
    noise = rng.standard_normal((10, 3, 50)) * 0.1 + rng.standard_normal((1, 1, 50))
    curve = PSNRCurve(sigmas, clean, clean + noise)
    slope = fit_slope(curve, 10 / 255, 100 / 255)
    assert slope.levels == sum((sigmas >= 10 / 255) & (sigmas <= 100 / 255))
    assert slope.interval[0] < optimal_slope(alpha) < slope.interval[1]
    assert slope.slope == pytest.approx(optimal_slope(alpha), abs=0.01)
    exact = fit_slope(PSNRCurve(sigmas, clean, clean))
    assert exact.slope == pytest.approx(optimal_slope(alpha))
    assert exact.intercept == pytest.approx(-10 * np.log10(0.3))
    fitted = np.polyfit(curve.input_psnr, curve.mean, 1)
    assert [fit_slope(curve).slope, fit_slope(curve).intercept] == pytest.approx(fitted)


@pytest.mark.one_backend
def test_bias_and_variance_add_up_to_the_error(monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.random((5, 4, 4, 1), np.float32)
    networks = [Scaling(a) for a in (0.7, 0.9, 1.1)]
    split = bias_variance(networks, images, 0.1, seed=2, draw=1)
    noisy = images + np.float32(0.1) * keyed_normal(2, range(5), 1, (4, 4, 1))
    power = np.mean(noisy.astype(np.float64) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(split.error, split.bias + split.variance)
    np.testing.assert_allclose(split.variance, power * np.var([0.7, 0.9, 1.1]), rtol=1e-5)
    np.testing.assert_allclose(
        split.bias, np.mean((0.9 * noisy - images) ** 2, axis=(1, 2, 3)), 1e-5
    )
    np.testing.assert_allclose(split.unbiased_variance, power * 0.2**2, rtol=1e-5)
    assert split.numbers()["error"] == pytest.approx(split.error.mean())
    monkeypatch.setattr(Scaling, "at_once", lambda self, shape: 100)
    whole = bias_variance(networks, images, 0.1, seed=2, draw=1)
    np.testing.assert_array_equal(split.error, whole.error)
    np.testing.assert_array_equal(split.bias, whole.bias)
    np.testing.assert_array_equal(split.variance, whole.variance)
    same = bias_variance(networks[:1] * 2, images, 0.1)
    assert same.variance.max() < 1e-12


@pytest.mark.one_backend
def test_what_cannot_be_measured():
    images = np.zeros((1, 4, 4, 1), np.float32)
    for sigmas in ([], [0], [-1, 0.1], [np.nan]):
        with pytest.raises(InputError, match="above 0"):
            psnr_curve(Scaling(1), images, sigmas)
    with pytest.raises(InputError, match="twice"):
        psnr_curve(Scaling(1), images, [0.1, 0.1])
    with pytest.raises(InputError, match="0 noise draws"):
        psnr_curve(Scaling(1), images, [0.1], draws=0)
    with pytest.raises(InputError, match="no baseline"):
        psnr_curve(Scaling(1), images, [0.1], told=True)
    with pytest.raises(InputError, match="1 noise level"):
        fit_slope(psnr_curve(Scaling(1), images, [0.1]))
    with pytest.raises(InputError, match="at least two"):
        bias_variance([Scaling(1)], images, 0.1)
    with pytest.raises(InputError, match="alpha"):
        optimal_slope(0)
