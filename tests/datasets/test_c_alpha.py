import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_gahr.datasets import c_alpha_images, load, make_c_alpha
from keras_gahr.datasets.c_alpha import CAlpha, backgrounds, contours
from keras_gahr.errors import InputError

SETTINGS = [
    (alpha, kind, number)
    for alpha in (1, 2, 4)
    for kind in ("plain", "blurred")
    for number in range(3)
]


@pytest.fixture(scope="module")
def published(golden):
    """A function from a setting to (image of the published code, our image from its draws)."""
    with np.load(golden / "c_alpha.npz") as file:
        arrays = dict(file)

    def images(alpha, kind, number):
        image = arrays[f"alpha{alpha}_{kind}/images"][number, 0]
        names = ("draw0", "draw1", "draw2", "draw3", "draw4", "coin")
        at = f"alpha{alpha}_{kind}/image{number}"
        contour, first, second, *intensities, coin = (arrays[f"{at}/{name}"] for name in names)
        made = CAlpha(alpha, blurred=kind == "blurred").images(
            contour[None].astype(np.float64),
            np.stack([first, second], axis=-1)[None],
            np.concatenate(intensities)[None].astype(np.float64),
            coin == 1,
        )
        return image, made[0, ..., 0], contour

    return images


@pytest.mark.parametrize("setting", SETTINGS)
def test_images_of_the_published_code(published, setting):
    image, made, contour = published(*setting)
    n = len(contour)
    boundary = np.rint(n * contours(contour.astype(np.float64), setting[0])) + n // 2
    outside = boundary < 0
    # There the published code takes row -1 for the last but one: its contour wraps around.
    assert outside.any() == (setting == (1, "blurred", 2))
    same = ~(outside | np.roll(outside, 1))
    np.testing.assert_allclose(made[:, same], image[:, same], rtol=0, atol=1e-5)
    assert made.dtype == np.float32
    if outside.any():
        assert (np.abs(made - image)[:, outside].max(0) > 0.1).all()


def test_a_contour_is_cut_off_where_it_leaves_the_image(published):
    """The column is all below the contour, where the published image is nearly all above it."""
    image, made, contour = published(1, "blurred", 2)
    law = CAlpha(1, constant=True)
    draws = contour[None].astype(np.float64)
    boundary = np.rint(40 * contours(draws, 1)[0]) + 20
    column = int(np.argmin(boundary))
    assert boundary[column] == -2
    mask = law.images(draws, None, np.array([[1.0, 0.0]]), None)[0, ..., 0]
    assert (mask[:, column] == 1).all()
    assert not np.allclose(made[:, column], image[:, column], atol=0.1)


@given(
    st.integers(0, 2**64 - 1), st.integers(1, 9), st.integers(0, 40), st.sampled_from([9, 12, 16])
)
def test_image_depends_on_seed_and_index_only(seed, count, start, size):
    options = {"alpha": 1.5, "blurred": True}
    whole = c_alpha_images(start + count, size, seed, workers=1, **options)
    part = c_alpha_images(count, size, seed, start=start, workers=2, **options)
    np.testing.assert_allclose(part, whole[start:], rtol=0, atol=1e-6)


def slopes(power, low, high):
    """The slope of log power against log frequency, over frequencies low, ..., high - 1."""
    k = np.arange(low, high)
    return np.polyfit(np.log(k), np.log(power[low:high]), 1)[0]


@pytest.mark.parametrize("alpha", [1, 2, 3.5])
def test_contours_are_as_smooth_as_alpha_says(alpha):
    draws = np.random.default_rng(0).random((400, 64))
    power = (np.abs(np.fft.rfft(contours(draws, alpha))) ** 2).mean(0)
    assert slopes(power, 1, 32) == pytest.approx(-2 * alpha, abs=0.1)


@pytest.mark.parametrize("beta", [1, 2, 3.5])
def test_backgrounds_are_as_smooth_as_beta_says(beta):
    noise = np.random.default_rng(0).random((60, 32, 32, 2), np.float32)
    textures = backgrounds(noise, beta).astype(np.float64)
    k = np.fft.fftfreq(32, 1 / 32)
    radius = np.hypot(k, k[:, None])
    power = (np.abs(np.fft.fft2(textures)) ** 2).mean((0, 1))
    inside = (radius > 0) & (radius < 12)
    slope = np.polyfit(np.log(radius[inside]), np.log(power[inside]), 1)[0]
    assert slope == pytest.approx(-2 * beta, abs=0.1)


def test_the_contour_of_an_image_follows_alpha():
    """Seen through the images: rougher contours have larger steps from column to column."""
    roughness = []
    for alpha in (1, 2, 4):
        images = c_alpha_images(300, 64, 0, alpha, constant=True)[..., 0]
        upper = images[:, :1]
        heights = (images == upper).sum(1)
        roughness.append((np.abs(np.diff(heights, axis=1)) / 64).mean())
    assert roughness[0] > 1.5 * roughness[1] > 1.8 * roughness[2] > 0


def test_alpha_and_beta_are_separate():
    alone = c_alpha_images(20, 32, 0, 4, 4, constant=True)[..., 0]
    smooth, rough = (c_alpha_images(20, 32, 1, 4, beta)[..., 0] for beta in (4, 0.5))
    # The contour does not depend on beta, so only textures differ.
    assert np.abs(np.diff(rough, axis=2)).mean() > 3 * np.abs(np.diff(smooth, axis=2)).mean()
    assert all(len(np.unique(image)) == 2 for image in alone)


def test_one_region_reaches_white_and_the_other_black():
    images = c_alpha_images(400, 24, 5, 2)[..., 0]
    assert images.min() >= 0
    assert images.max() <= 1
    lower_is_bright = images[:, 18:].mean((1, 2)) > images[:, :6].mean((1, 2))
    assert 0.4 < lower_is_bright.mean() < 0.6
    assert 0.4 < images.mean() < 0.6


def test_blurring_averages_the_mask():
    plain, blurred = (
        c_alpha_images(50, 24, 2, 2, blurred=blurred, constant=True)[..., 0]
        for blurred in (False, True)
    )
    padded = np.pad(plain, ((0, 0), (1, 0), (1, 0)), mode="reflect")
    mean = sum(padded[:, i : i + 24, j : j + 24] for i in (0, 1) for j in (0, 1)) / 4
    np.testing.assert_allclose(blurred, mean, atol=1e-6)


@pytest.mark.parametrize("wavelet", ["haar", "db2", "sym4"])
@pytest.mark.parametrize("factor", [2, 4])
def test_antialiased_images_are_partial_at_the_contour_and_only_there(factor, wavelet):
    images = c_alpha_images(60, 16, 0, 2, constant=True, antialias=factor, wavelet=wavelet)
    assert images.shape == (60, 16, 16, 1)
    images = images[(images[:, -1] != images[:, 0]).all((1, 2))]
    lower, upper = images[:, -1:], images[:, :1]
    share = (images - lower) / (upper - lower)
    partial = ((share > 0.02) & (share < 0.98)).sum(1)
    assert 1 < partial.mean() < (2 if wavelet == "haar" else 4)


@pytest.mark.parametrize("factor", [2, 4])
def test_haar_averages_blocks_of_a_larger_image(factor):
    draws = np.random.default_rng(1)
    n = 12 * factor
    contour, noise = draws.random((5, n)), draws.random((5, n, n, 2), np.float32)
    rest = draws.random((5, 2)), np.arange(5) > 2
    made = CAlpha(2, antialias=factor).images(contour, noise, *rest)[..., 0]
    # The larger contour is the one whose amplitude is kept.
    large = CAlpha(2).images((contour - 0.5) * np.sqrt(factor) + 0.5, noise, *rest)[..., 0]
    np.testing.assert_allclose(
        made, large.reshape(5, 12, factor, 12, factor).mean((2, 4)), rtol=0, atol=1e-5
    )


def test_antialiasing_keeps_the_amplitude_of_the_contour():
    spread = []
    for factor in (1, 2, 4):
        images = c_alpha_images(500, 16, 0, 2, constant=True, antialias=factor)[..., 0]
        upper, lower = images[:, :1].mean(2), images[:, -1:].mean(2)
        heights = (images.mean(1) - lower) / (upper - lower)
        spread.append(np.median(np.abs(heights - 0.5)))
    np.testing.assert_allclose(spread, spread[0], rtol=0.2)


def test_separable_backgrounds_have_axes():
    noise = np.random.default_rng(0).random((20, 32, 32, 2), np.float32)
    power = (np.abs(np.fft.fft2(backgrounds(noise, 2, separable=True))) ** 2).mean((0, 1))
    # The power is |kx ky|^-beta, and a frequency of 0 counts as 1.
    assert power[4, 4] / power[0, 1] == pytest.approx(1 / 16**2, rel=0.5)
    assert power[0, 4] / power[0, 1] == pytest.approx(1 / 4**2, rel=0.5)


def test_dataset_is_the_sequence_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gahr.datasets.generated.BLOCK", 5)
    make_c_alpha(tmp_path / "out", 12, 16, 3, 2, beta=1, blurred=True)
    dataset = load(tmp_path / "out")
    np.testing.assert_allclose(
        dataset.images, c_alpha_images(12, 16, 3, 2, 1, blurred=True), rtol=0, atol=1e-6
    )
    assert dataset.manifest["recipe"] == "c_alpha"
    assert dataset.manifest["parameters"] == {
        "count": 12,
        "size": 16,
        "seed": 3,
        "alpha": 2,
        "beta": 1,
        "blurred": True,
        "constant": False,
        "separable": False,
        "antialias": 1,
        "wavelet": "haar",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {"count": 0},
        {"size": 1},
        {"seed": 2**64},
        {"start": -1},
        {"alpha": 0},
        {"alpha": float("nan")},
        {"beta": -1},
        {"antialias": 3},
        {"wavelet": "haare"},
        {"wavelet": "bior2.2"},
    ],
)
def test_arguments_out_of_range(arguments):
    with pytest.raises(InputError, match="expected"):
        c_alpha_images(**{"count": 2, "size": 8, "seed": 0, "alpha": 2} | arguments)
