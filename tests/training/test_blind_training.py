"""Noise, loss and PSNR of the training objective."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gahr import ReceptiveFieldBFCNN, UNet
from keras_gahr.errors import InputError
from keras_gahr.noise import NoiseLaw
from keras_gahr.training import BlindTraining, TrainingSettings
from keras_gahr.training.blind_training import compiled_training


@pytest.fixture(scope="module")
def denoiser():
    return UNet(num_blocks=1, num_kernels=4, seed=0)


def noise_of(model, count=4096, size=4):
    images = np.zeros((count, size, size, model.denoiser.input_channels), np.float32)
    return ops.convert_to_numpy(model.draw_noise(images))


def test_noise_levels_follow_the_law(denoiser):
    sigma = noise_of(BlindTraining(denoiser, seed=1), size=16).std(axis=(1, 2, 3))
    # sigma = u^2 with u uniform: mean 1/3, median 1/4.
    assert sigma.mean() == pytest.approx(1 / 3, abs=0.02)
    assert np.median(sigma) == pytest.approx(1 / 4, abs=0.02)


def test_the_draws_are_kerass(denoiser):
    """In whichever shape they are drawn."""
    model = BlindTraining(denoiser, NoiseLaw("linear", 1.0, 1.0), seed=1)
    seed = int(ops.convert_to_numpy(model.noise_generator.state)[0])
    expected = keras.random.normal((2, 3, 5, 1), seed=keras.random.SeedGenerator(seed))
    found = ops.convert_to_numpy(model.draw_noise(np.zeros((2, 3, 5, 1), np.float32)))
    np.testing.assert_array_equal(found, ops.convert_to_numpy(expected))


def test_seeds_give_unrelated_noise(denoiser):
    draws = [noise_of(BlindTraining(denoiser, seed=seed), 64).ravel() for seed in (0, 0, 1)]
    assert np.array_equal(draws[0], draws[1])
    model = BlindTraining(denoiser, seed=0)
    later = [noise_of(model, 64).ravel() for _ in range(4)][1:]
    for other in (draws[2], *later):
        assert abs(np.corrcoef(draws[0], other)[0, 1]) < 0.15


def test_a_condition_gets_no_noise():
    conditional = ReceptiveFieldBFCNN(receptive_field=5, num_kernels=2, coarse=False, seed=0)
    noise = noise_of(BlindTraining(conditional), 8)
    assert np.all(noise[..., 0] == 0)
    assert np.all(noise[..., 1:].std(axis=(1, 2, 3)) > 0)


def test_loss_and_psnr_are_those_of_the_denoised_image(denoiser):
    rng = np.random.default_rng(0)
    clean = rng.random((3, 8, 8, 1), np.float32)
    noise = 0.2 * rng.standard_normal(clean.shape).astype(np.float32)
    model = BlindTraining(denoiser)
    model.compile(loss=None)
    logs = model.test_on_batch({"clean": clean, "noise": noise}, return_dict=True)
    error = (clean + noise - denoiser.predict_on_batch(clean + noise)) - clean
    squared = (error.astype(np.float64) ** 2).reshape(3, -1)
    assert logs["loss"] == pytest.approx(squared.sum() / 3, rel=1e-5)
    assert logs["psnr"] == pytest.approx((-10 * np.log10(squared.mean(axis=1))).mean(), rel=1e-5)


def test_a_linear_law_can_be_narrow(denoiser):
    model = BlindTraining(denoiser, NoiseLaw("linear", 0.1, 0.1))
    assert noise_of(model, 64, 16).std() == pytest.approx(0.1, rel=0.02)


def test_each_image_can_get_an_intensity_of_its_own(denoiser):
    model = BlindTraining(denoiser, seed=1, rescale=True)
    scale = ops.convert_to_numpy(model.draw_scale(np.ones((4096, 2, 2, 1), np.float32)))
    assert scale.shape == (4096, 1, 1, 1)
    assert scale.min() >= 0
    assert scale.max() < 1
    assert scale.mean() == pytest.approx(1 / 2, abs=0.02)
    sigma = noise_of(BlindTraining(denoiser, seed=1, rescale=True), 256, 16).std(axis=(1, 2, 3))
    assert abs(np.corrcoef(scale[:256].ravel(), sigma)[0, 1]) < 0.2


def test_the_scale_is_on_the_image_and_not_on_the_noise(denoiser):
    images = np.ones((16, 4, 4, 1), np.float32)
    model, other = (BlindTraining(denoiser, seed=2, rescale=True) for _ in range(2))
    error = ops.convert_to_numpy(ops.stop_gradient(model(images)))
    scale = ops.convert_to_numpy(other.draw_scale(images))
    noise = ops.convert_to_numpy(other.draw_noise(images))
    expected = other({"clean": scale * images, "noise": noise})
    np.testing.assert_allclose(error, ops.convert_to_numpy(ops.stop_gradient(expected)), atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="PyTorch alone cannot")
def test_on_pytorch_a_step_is_not_compiled():
    with pytest.raises(InputError, match="received jit_compile on PyTorch"):
        compiled_training(UNet(num_blocks=1, num_kernels=2), TrainingSettings(jit_compile=True), 2)
