"""Errors and noise levels from noisy images alone, where they are known."""

import numpy as np
import pytest
from keras import ops
from scipy import stats

import keras_gahr as kg
from keras_gahr.analysis import noise_calibration, noise_level, sure
from keras_gahr.datasets.wavelet_level import wavelet_level

SIGMA = 0.1
SIDE = 8
SIZE = SIDE**2
VARIANCES = 1 / np.arange(1, SIZE + 1)
BASIS = np.linalg.qr(np.random.default_rng(0).standard_normal((SIZE, SIZE)))[0]
MEAN = np.full((SIDE, SIDE, 1), 0.5)


@pytest.fixture(scope="module")
def wiener():
    """The best denoiser of Gaussian images."""
    return kg.baselines.Wiener(MEAN, BASIS, VARIANCES, sigma=SIGMA)


@pytest.fixture(scope="module")
def images():
    """200 clean images of this law, and noisy ones."""
    generator = np.random.default_rng(1)
    coefficients = generator.standard_normal((200, SIZE)) * np.sqrt(VARIANCES)
    clean = (0.5 + coefficients @ BASIS.T).reshape(200, SIDE, SIDE)
    return clean, clean + SIGMA * generator.standard_normal(clean.shape)


def held(intervals, values):
    """How many of the intervals hold the values, and how many those of half their width."""
    middle, reach = intervals.mean(axis=1), np.diff(intervals)[:, 0] / 2
    return [np.count_nonzero(abs(values - middle) <= reach * part) for part in (1, 0.5)]


FEWEST, MOST = stats.binom.interval(0.999, 200, 0.95)


@pytest.mark.one_backend
@pytest.mark.parametrize("method", ["hutchinson", "exact"])
def test_the_error_of_the_best_linear_denoiser(wiener, images, method):
    clean, noisy = images
    found = sure(wiener, noisy, SIGMA, method=method)
    made = np.mean((kg.denoise(wiener, noisy) - clean) ** 2, axis=(1, 2))
    within, narrow = held(found.interval, made)
    assert FEWEST <= within <= MOST and narrow < FEWEST
    expected = SIGMA**2 * np.mean(VARIANCES / (VARIANCES + SIGMA**2))
    error = (found.mse - made).std() / np.sqrt(200)
    assert abs(found.mse.mean() - expected) < 4 * found.mse.std() / np.sqrt(200)
    assert abs(found.mse.mean() - made.mean()) < 4 * error
    assert found.trace_error.any() == (method == "hutchinson")
    np.testing.assert_allclose(found.psnr[:3], -10 * np.log10(found.mse[:3]))


def test_the_formula_of_the_error(wiener, images):
    """With the exact trace it is Stein's, which takes no account of D's quality: for any D."""
    noisy = images[1][:3]
    found = sure(wiener, noisy, [0.1, 0.2, 0.3], method="exact")
    residual = np.sum((noisy - kg.denoise(wiener, noisy)) ** 2, axis=(1, 2))
    power, trace = np.square([0.1, 0.2, 0.3]), np.sum(VARIANCES / (VARIANCES + SIGMA**2))
    expected = residual / SIZE - power + 2 * power * trace / SIZE
    np.testing.assert_allclose(found.mse, expected, rtol=1e-4)
    assert not found.trace_error.any()


def test_the_level_of_the_noise_of_gaussian_images(wiener, images):
    _, noisy = images
    found = noise_level(wiener, noisy)
    within, narrow = held(found.interval, SIGMA)
    assert FEWEST <= within <= MOST and narrow < FEWEST
    assert found.corrected.mean() == pytest.approx(SIGMA, rel=0.02)
    # Too low by the error that is left.
    kept = np.mean(VARIANCES / (VARIANCES + SIGMA**2))
    power = found.plain**2
    expected = SIGMA**2 * (1 - kept)
    assert abs(power.mean() - expected) < 4 * power.std() / np.sqrt(200) < 0.1 * expected
    quick = noise_level(wiener, noisy[:3], corrected=False)
    np.testing.assert_allclose(quick.plain, found.plain[:3], rtol=1e-5)
    assert np.isnan(quick.corrected).all() and np.isnan(quick.standard_error).all()


def told_wiener(variances):
    """The best denoiser of Gaussian images, as a network that is told the noise level."""
    basis, variances = np.float32(BASIS), np.float32(variances)

    def network(y, sigma):
        known = ops.convert_to_tensor(variances)
        coefficients = ops.matmul(ops.reshape(y - 0.5, (-1, SIZE)), ops.convert_to_tensor(basis))
        kept = coefficients * known / (known + sigma[:, None] ** 2)
        denoised = ops.matmul(kept, ops.convert_to_tensor(basis.T.copy()))
        return ops.reshape(denoised + 0.5, ops.shape(y))

    return kg.wrap(network, "image", "sigma", channels=1, layout="NHWC", size=SIDE)


def gaussian_images(count, variances, seed=1):
    """Noisy ones."""
    generator = np.random.default_rng(seed)
    clean = 0.5 + (generator.standard_normal((count, SIZE)) * np.sqrt(variances)) @ BASIS.T
    return (clean + SIGMA * generator.standard_normal(clean.shape)).reshape(count, SIDE, SIDE)


@pytest.mark.one_backend
@pytest.mark.parametrize("told", [False, True])
def test_the_interval_of_a_level_that_the_denoiser_finds_itself(told):
    """Half of what is seen along most directions is image, which the level is told from."""
    variances = np.where(np.arange(SIZE) < 3 * SIZE // 4, SIGMA**2, 0.0)
    blind = kg.baselines.Wiener(MEAN, BASIS, variances)
    denoiser = told_wiener(variances) if told else blind
    found = noise_level(denoiser, gaussian_images(200, variances), method="exact")
    within, narrow = held(found.interval, SIGMA)
    assert FEWEST <= within <= MOST and narrow < FEWEST
    # The Cramer-Rao bound: 48 directions of which half is noise, and 16 of nothing else.
    expected = SIGMA / np.sqrt(2 * (48 / 4 + 16))
    assert found.corrected.std() == pytest.approx(expected, rel=0.15)
    assert np.median(found.noise_error) == pytest.approx(expected, rel=0.05)


@pytest.mark.one_backend
def test_an_error_of_the_trace_grows_where_the_level_is_told():
    variances = np.where(np.arange(SIZE) < 3 * SIZE // 4, SIGMA**2, 0.0)
    found = [
        noise_level(told_wiener(variances), gaussian_images(40, variances), probes=4, seed=seed)
        for seed in range(6)
    ]
    scatter = np.std([each.corrected for each in found], axis=0, ddof=1)
    stated = np.mean([each.trace_error for each in found])
    assert np.sqrt(np.mean(scatter**2)) == pytest.approx(stated, rel=0.25)


@pytest.mark.one_backend
def test_a_denoiser_that_is_told_the_level_finds_the_likely_one():
    """As the one does that computes the likelihood of each level."""
    variances = np.float32(VARIANCES**3)
    noisy = gaussian_images(40, variances)
    found = noise_level(told_wiener(variances), noisy, method="exact")
    likely = kg.baselines.Wiener(MEAN, BASIS, variances).estimate_sigma(noisy[..., None])
    np.testing.assert_allclose(found.corrected, ops.convert_to_numpy(likely), rtol=0.02)
    assert found.corrected.mean() == pytest.approx(SIGMA, rel=0.05)


def test_colour_and_several_sizes(wiener, smooth_images):
    """Channels are denoised alone; images of a list have the probes that they have in an array."""
    grey = np.random.default_rng(3).normal(0.5, 0.3, (6, SIDE, SIDE, 1))
    colour = np.moveaxis(grey[..., 0].reshape(2, 3, SIDE, SIDE), 1, -1)
    apart, joint = (noise_level(wiener, each, method="exact") for each in (grey, colour))
    means = np.sqrt(np.mean(apart.plain.reshape(2, 3) ** 2, axis=1))
    np.testing.assert_allclose(joint.plain, means, rtol=1e-5)
    assert joint.noise_error.mean() == pytest.approx(apart.noise_error.mean() / np.sqrt(3), rel=0.2)
    risk = sure(wiener, grey, 0.3, seed=2)
    listed = sure(wiener, [*grey[..., 0]], 0.3, seed=2)
    np.testing.assert_allclose(listed.mse, risk.mse, rtol=1e-4)
    network = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3, seed=0)
    sizes = [smooth_images(1, 8, 8)[0], smooth_images(1, 9, 12)[0]]
    assert noise_level(network, sizes, probes=2).plain.shape == (2,)


def test_the_wavelets_see_the_noise(smooth_images):
    smooth = smooth_images(2, 64, 64, 3)
    noisy = smooth + 0.2 * np.random.default_rng(0).standard_normal(smooth.shape)
    np.testing.assert_allclose(wavelet_level(noisy), 0.2, rtol=0.05)
    # A last row or column without a partner has no details.
    odd = 0.5 + 0.2 * np.random.default_rng(1).standard_normal((40, 11, 27, 1))
    assert wavelet_level(odd).mean() == pytest.approx(0.2, rel=0.04)
    assert wavelet_level(smooth).max() < 0.01


def test_scikit_image_where_it_is_installed(wiener, images):
    restoration = pytest.importorskip("skimage.restoration", reason="scikit-image is not installed")
    noisy = images[1][:2]
    expected = [restoration.estimate_sigma(image) for image in noisy]
    found = noise_level(wiener, noisy, corrected=False).scikit_image
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_calibration(wiener, images, tmp_path):
    clean = np.clip(images[0][:12], 0, 1)
    found = noise_calibration(wiener, clean, [0.1, 0.02])
    assert found.sigmas.tolist() == [0.02, 0.1]
    assert found.estimates["corrected"].shape == (2, 12)
    # Of a Wiener filter for 0.1; at another level it is not right.
    assert found.ratios["corrected"][1] == pytest.approx(1, abs=0.1)
    low, high = found.intervals["corrected"][1]
    assert low < found.ratios["corrected"][1] < high
    expected = noise_level(
        wiener, clean + 0.1 * kg.noise.keyed_normal(0, range(12), 0, (8, 8, 1))[..., 0]
    )
    np.testing.assert_allclose(found.estimates["corrected"][1], expected.corrected, rtol=1e-3)
    levels = found.numbers()["levels"]
    assert levels[1]["corrected"]["ratio"] == found.ratios["corrected"][1]
    found.save(tmp_path / "calibration", figures="svg", note="mine")
    assert (tmp_path / "calibration" / "noise_calibration.svg").is_file()


@pytest.mark.one_backend
def test_a_calibration_of_images_beyond_black_and_white(wiener, images):
    clean = images[0][:4]
    assert clean.min() < -0.1
    found = noise_calibration(wiener, clean, [SIGMA])
    noise = kg.noise.keyed_normal(0, range(4), 0, (8, 8, 1))[..., 0]
    expected = noise_level(wiener, clean + SIGMA * noise)
    np.testing.assert_allclose(found.estimates["corrected"][0], expected.corrected, rtol=1e-3)


@pytest.mark.one_backend
def test_mistakes(wiener, images):
    for sigma, reason in ((0, "above 0"), ([0.1, 0.2], "2 noise levels for 3 images")):
        with pytest.raises(kg.InputError, match=reason):
            sure(wiener, images[1][:3], sigma)
    with pytest.raises(kg.InputError, match="no images"):
        noise_level(wiener, [])
    with pytest.raises(kg.InputError, match="made for 8x8"):
        noise_level(wiener, np.zeros((4, 4)))


@pytest.fixture(scope="module")
def photographs(shared):
    """64x64 pixels from the middle of each image of Set12."""
    with np.load(shared / "data" / "set12_gray.npz") as images:
        several = [images[name] for name in sorted(images)]
    corners = [(image, image.shape[0] // 2 - 32, image.shape[1] // 2 - 32) for image in several]
    cut = [image[top : top + 64, left : left + 64] for image, top, left in corners]
    return np.stack(cut)[..., None] / np.float32(255)


@pytest.mark.slow
@pytest.mark.parametrize(
    "level",
    [pytest.param(15, marks=pytest.mark.long), 25, pytest.param(50, marks=pytest.mark.long)],
)
def test_a_published_network_on_photographs(shared, photographs, level):
    path = shared / "checkpoints" / "bias_free_denoising" / "unet" / "0-100.pt"
    network, sigma = kg.load_denoiser(path), level / 255
    photographs = photographs[::2]
    noisy = photographs + sigma * kg.noise.keyed_normal(0, range(6), 0, photographs.shape[1:])
    made = np.mean((kg.denoise(network, noisy) - photographs) ** 2, axis=(1, 2, 3))
    found = sure(network, noisy, sigma)
    z = (found.mse - made) / found.standard_error
    assert np.sqrt(np.mean(z**2)) < 1.7 and np.abs(z.mean()) < 1
    assert found.mse.mean() == pytest.approx(made.mean(), rel=0.1)
    levels = noise_level(network, noisy)
    assert np.all(levels.plain < levels.corrected)
    assert levels.corrected.mean() == pytest.approx(sigma, rel=0.05)
