"""Denoisers of deepinv, and its own wrappers of diffusion models beside ours."""

import keras
import numpy as np
import pytest

import keras_gahr as kg

if keras.backend.backend() != "torch":
    pytest.skip("these networks are PyTorch's", allow_module_level=True)
# It needs torchvision, whose wheels do not load beside a PyTorch without CUDA: no environment of ours has it.
pytest.importorskip("deepinv", reason="deepinv is not installed", exc_type=ImportError)
pytest.importorskip("diffusers", reason="the extra diffusers is not installed")

import deepinv
import diffusers
import torch
from diffusers_networks import unet

ROUNDING = 1e-5
"""Of float32, of the largest value: two ways of writing the same few operations, around one network. That of
diffusers computes in float64: with random weights it has norms that multiply rounding by a hundred."""

INDICES = np.linspace(1, 990, 10).astype(int)


def denoiser_of(name, channels):
    torch.manual_seed(0)
    if name == "DnCNN":
        return deepinv.models.DnCNN(channels, channels, depth=4, nf=8, pretrained=None)
    return deepinv.models.DRUNet(channels, channels, nc=(4, 8, 8, 8), nb=1, pretrained=None)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["DnCNN", "DRUNet"])
def test_a_denoiser_is_known(name, channels):
    """Told the level or not, it says everything; and it may be said by hand."""
    network = denoiser_of(name, channels)
    images = np.random.default_rng(0).random((3, 16, 16, channels)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.as_tensor(np.moveaxis(images, -1, 1).copy()), 0.2).numpy()
    expected = np.moveaxis(expected, 1, -1)
    for denoiser in (
        kg.wrap(network),
        kg.wrap(network, "image", "sigma", channels=channels),
    ):
        assert (denoiser.input_channels, denoiser.told) == (channels, True)
        found = denoiser.denoise(images, 0.2)
        np.testing.assert_allclose(found, expected, atol=ROUNDING)
    basis = kg.eigenbasis(denoiser.at(0.2), images[0], 4, "randomized")
    assert np.isfinite(basis.shrinkage).all()


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("channels", [1, 3])
def test_deepinv_finds_the_same_image(channels, kind):
    """On exact levels of the table, as it takes the nearest sigma and we the nearest log sigma; and where
    its index, a float that it cuts off, is the right one."""
    network = unet(channels).double()
    scheduler = diffusers.DDPMScheduler(prediction_type=kind)
    alpha_bars = scheduler.alphas_cumprod.double()
    theirs = deepinv.models.ScoreModelWrapper(
        lambda x, t: network(x, t, return_dict=False),
        prediction_type=kind,
        clip_output=False,
        scale_t=alpha_bars.sqrt(),
        variance_preserving=True,
        takes_integer_time=True,
        n_timesteps=len(alpha_bars),
    )
    ours = kg.wrap(network, schedule=scheduler)
    image = np.random.default_rng(0).random((1, 16, 16, channels)).astype(np.float32)
    tensor = torch.as_tensor(np.moveaxis(image, -1, 1).astype(np.float64))
    for index in INDICES:
        sigma = float(theirs.sigma_t[index]) / 2
        time = theirs.time_from_sigma(torch.tensor(2 * sigma))
        assert int((time * (len(alpha_bars) - 1)).long()) == index
        with torch.no_grad():
            expected = np.moveaxis(theirs(tensor, sigma).numpy(), 1, -1)
        found = ours.denoise(image, sigma)
        np.testing.assert_allclose(found, expected, atol=ROUNDING * max(1, np.abs(expected).max()))
