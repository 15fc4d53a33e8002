"""The network of nine convolutions: any size, odd ones too."""

import keras
import numpy as np
import pytest
import tolerances
from networks import relative_difference

from keras_gahr import DilatedUNet, _backend
from keras_gahr.denoisers import Inference
from keras_gahr.training import BlindTraining


def noisy_images(height, width, channels=1):
    shape = (2, height, width, channels)
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def test_its_published_number_of_parameters():
    assert DilatedUNet().num_parameters == 233_024


def test_symbolic_sizes():
    assert DilatedUNet(3, num_kernels=2).output_shape == (None, None, None, 3)
    even = DilatedUNet(num_kernels=2).get_layer("even")
    assert even.compute_output_shape((None, 5, None, 1)) == (None, 6, None, 1)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 8), (8, 7), (9, 11), (12, 16)])
def test_any_size_gives_its_own_size(size):
    denoiser = DilatedUNet(2, num_kernels=3, seed=1)
    noisy = noisy_images(*size, 2)
    found = Inference(denoiser).residual(noisy)
    assert found.shape == noisy.shape
    # An odd side is as if the image went on with zeros, whose outputs are cut off.
    padded = np.pad(noisy, [(0, 0), (0, size[0] % 2), (0, size[1] % 2), (0, 0)])
    expected = Inference(denoiser).residual(padded)[:, : size[0], : size[1]]
    assert relative_difference(found, expected) < tolerances.OUTPUT


def test_one_compiled_network_takes_several_sizes():
    inference = Inference(DilatedUNet(num_kernels=3, seed=1))
    for size in ((8, 8), (9, 8), (8, 9), (8, 8)):
        assert inference.residual(noisy_images(*size)).shape == (2, *size, 1)


def test_the_chain_computes_the_image_and_the_network_the_residual():
    denoiser = DilatedUNet(num_kernels=3, seed=1)
    noisy = noisy_images(9, 12)
    image = keras.Model(denoiser.input, denoiser.get_layer("denoised").output)
    expected = image.predict_on_batch(noisy)
    found = denoiser.denoise(noisy)
    assert relative_difference(found, expected) < tolerances.OUTPUT


@pytest.mark.parametrize("size", [pytest.param((8, 8), marks=pytest.mark.one_backend), (9, 7)])
def test_it_trains(size):
    denoiser = DilatedUNet(num_kernels=3, seed=1)
    model = BlindTraining(denoiser)
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=_backend.jit_compile())
    clean = noisy_images(*size)
    noise = np.random.default_rng(1).normal(0, 0.1, clean.shape).astype(np.float32)
    losses = [
        float(model.train_on_batch({"clean": clean, "noise": noise}, return_dict=True)["loss"])
        for _ in range(30)
    ]
    assert losses[-1] < losses[0] / 2
