"""Grey images and networks of colour images."""

from pathlib import Path

import numpy as np
import pytest
import tolerances
from networks import relative_difference

import keras_gahr as kg
from keras_gahr.denoising import in_colour
from keras_gahr.psnr import psnr

SHARED = Path(__file__).resolve().parents[2] / "shared"

pytestmark = pytest.mark.one_backend


@pytest.fixture
def noisy():
    rng = np.random.default_rng(0)
    return 0.5 + 0.1 * rng.standard_normal((2, 64, 48, 1), np.float32)


@pytest.mark.parametrize(
    ("sigma", "levels"), [(0.1, 0.1 * 3**0.5), ([0.1, 0.2], [0.1 * 3**0.5, 0.2 * 3**0.5])]
)
def test_channels_get_noise_of_their_own(noisy, sigma, levels):
    """Of the level that is told; what they have in common stays the noisy image."""
    coloured, told = in_colour(noisy, 3, sigma)
    np.testing.assert_allclose(told, levels)
    np.testing.assert_allclose(coloured.mean(axis=-1, keepdims=True), noisy, atol=1e-6)
    # Where that is right, of the first image.
    covariance = np.cov(coloured[0].reshape(-1, 3) - 0.5, rowvar=False)
    np.testing.assert_allclose(covariance, 0.03 * np.eye(3), atol=2e-3)


def test_the_level_is_measured_where_it_is_not_told(noisy):
    _, levels = in_colour(noisy, 3)
    np.testing.assert_allclose(levels, 0.1 * 3**0.5, rtol=0.06)


def test_an_image_is_denoised_as_it_is_alone(noisy):
    denoiser = kg.UNet(num_channels=3, num_blocks=1, num_kernels=4, seed=0)
    together = kg.denoise(denoiser, noisy)
    alone = kg.denoise(denoiser, noisy[1])
    assert relative_difference(together[1], alone) < tolerances.OUTPUT
    assert together.shape == noisy.shape


def test_a_network_that_is_told_the_level_is_told_that_of_its_channels(noisy):
    told = []

    def shrink(images, sigma):
        told.append(np.array(sigma))
        return images / (1 + sigma[:, None, None, None] ** 2)

    denoiser = kg.wrap(shrink, "image", "sigma", channels=3, layout="NHWC")
    found = kg.denoise(denoiser, noisy, sigma=0.1)
    np.testing.assert_allclose(told[-1], 0.1 * 3**0.5, rtol=1e-6)
    np.testing.assert_allclose(found, noisy / 1.03, rtol=1e-5)


@pytest.mark.parametrize(
    ("sigma", "says"),
    [
        (float("nan"), "above 0|at least 0"),
        (-1, "at least 0"),
        ([0.1, 0.2, 0.3], "3 noise levels for 2 images"),
        ("loud", "loud"),
    ],
)
def test_levels_that_cannot_be(noisy, sigma, says):
    with pytest.raises(kg.InputError, match=says):
        in_colour(noisy, 3, sigma)
    np.testing.assert_array_equal(in_colour(noisy, 3, "25/255")[1], [25 / 255 * 3**0.5] * 2)


def test_a_network_that_is_told_the_level_must_be(noisy):
    def shrink(images, sigma):
        return images / (1 + sigma[:, None, None, None] ** 2)

    denoiser = kg.wrap(shrink, "image", "sigma", channels=3, layout="NHWC")
    with pytest.raises(kg.InputError, match="is told the noise level"):
        kg.denoise(denoiser, noisy)


@pytest.mark.skipif(not SHARED.exists(), reason="needs published weights and pictures")
def test_a_published_network_of_colour_images_denoises_grey_ones():
    """As well as that of grey images does, 28.6 dB, where repeated ones were left at 20.7."""
    from weights_convert import build_from_checkpoint

    folder = SHARED / "checkpoints" / "universal_inverse_problem" / "BSD300_color"
    denoiser, _ = build_from_checkpoint(folder / "model.pt")
    clean = np.load(SHARED / "data" / "set12_gray.npz")["01"][64:192, 64:192] / 255
    noise = np.random.default_rng(0).standard_normal(clean.shape)
    found = kg.denoise(denoiser, clean + 25 / 255 * noise)
    assert psnr(found[None], clean[None])[0] > 28


def test_nested_lists_of_numbers_are_an_array(tiny_denoiser):
    images = np.random.default_rng(0).random((2, 8, 8)).astype(np.float32)
    found = kg.denoise(tiny_denoiser, images.tolist())
    np.testing.assert_array_equal(found, kg.denoise(tiny_denoiser, images))
    assert kg.denoise(tiny_denoiser, images[0].tolist()).shape == (8, 8)
    # Of arrays it is one of images, which may have other sizes.
    several = kg.denoise(tiny_denoiser, [images[0], images[1, :4]])
    assert [image.shape for image in several] == [(8, 8), (4, 8)]
    with pytest.raises(kg.InputError, match="several sizes"):
        kg.denoise(tiny_denoiser, [images[0].tolist(), images[1, :4].tolist()])
