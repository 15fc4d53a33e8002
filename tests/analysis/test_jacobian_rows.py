"""Rows of Jacobians on windows: the same as products with whole images, and less work."""

import keras
import numpy as np
import pytest
import tolerances
from networks import with_unit_gammas

from keras_gahr import _backend
from keras_gahr._backend import convolution
from keras_gahr.analysis import Linearizer
from keras_gahr.denoisers import BFCNN, Denoiser, DilatedUNet, FlexibleUNet, UNet, with_precision
from keras_gahr.denoisers.layers import Conv2D

pytestmark = pytest.mark.skipif(
    not _backend.RUNS_ANY_SHAPE, reason="this backend computes no rows on windows"
)

IMAGES = (12, 20)


def noisy_image(denoiser):
    return np.random.default_rng(0).random((*IMAGES, denoiser.input_channels), np.float32)


def jacobian_of(denoiser, at_once=16):
    with_unit_gammas(denoiser)
    return Linearizer(denoiser, at_once).at(noisy_image(denoiser))


@pytest.mark.parametrize("at_once", [1, 5, 16, 1000])
@pytest.mark.parametrize(
    "denoiser",
    [
        UNet(num_channels=3, num_blocks=2, num_kernels=2, seed=1),
        UNet(num_blocks=1, num_kernels=4, num_enc_conv=1, num_dec_conv=3, seed=1),
        BFCNN(num_layers=5, num_kernels=4, first_layer_linear=False, seed=1),
        FlexibleUNet(
            num_kernels=[2, 4, 3],
            num_dec_conv=2,
            norm="batch",
            bias=False,
            inter_skip=False,
            seed=1,
        ),
        FlexibleUNet(num_kernels=[2, 3], norm="none", bias=False, num_dec_conv=1, seed=1),
    ],
    ids=["colours", "one block", "bf-cnn", "no skips", "no norms"],
)
def test_they_are_those_of_whole_images(denoiser, at_once):
    jacobian = jacobian_of(denoiser, at_once)
    seen = []
    found = jacobian.matrix(lambda *done: seen.append(done))
    size = jacobian.dimension
    assert jacobian.products == size and seen[-1] == (size, size)
    expected = jacobian.apply(np.eye(size).reshape(size, *jacobian.shape)).reshape(size, size).T
    np.testing.assert_allclose(found, expected, atol=tolerances.JACOBIAN * np.abs(expected).max())
    assert np.abs(expected - np.eye(size)).max() > 0.01


def test_windows_are_smaller_than_images(monkeypatch):
    """Those of the last layers at least; and no window is larger than the image."""
    pixels, convolve = [], convolution.convolve_constant

    def counted(images, kernel):
        pixels.append(images.shape[0] * images.shape[1] * images.shape[2])
        return convolve(images, kernel)

    jacobian = jacobian_of(BFCNN(num_layers=5, num_kernels=2, seed=0), 4)
    monkeypatch.setattr(convolution, "convolve_constant", counted)
    jacobian.matrix()
    # Blocks of 2x2 pixels, which are 4x4 after a layer, and 12x12 after all.
    height, width = IMAGES
    whole = height * width * 5 * jacobian.dimension

    def inside(length, layer):
        starts = range(0, length, 2)
        return sum(min(length, at + 2 + layer) - max(0, at - layer) for at in starts)

    windows = sum(inside(height, n) * inside(width, n) for n in range(1, 6))
    assert sum(pixels) == 4 * windows < 0.4 * whole


@keras.saving.register_keras_serializable("tests")
class Odd(Denoiser):
    """Made of one layer."""

    def __init__(self, layer):
        inputs = keras.Input((None, None, 2))
        super().__init__(inputs, layer(inputs), 0, None, "odd")


class Halving(Conv2D):
    def call(self, inputs):
        return super().call(inputs) / 2


@pytest.mark.parametrize(
    "denoiser",
    [
        DilatedUNet(num_kernels=2, seed=1),
        Odd(keras.layers.Conv2D(2, 3, padding="same", groups=2, use_bias=False)),
        Odd(keras.layers.Conv2D(2, 3, padding="same", dilation_rate=2, use_bias=False)),
        Odd(keras.layers.Conv2D(2, 2, padding="same", use_bias=False)),
        Odd(keras.layers.Conv2D(2, 3, padding="same", activation="relu", use_bias=False)),
        Odd(keras.layers.ZeroPadding2D(0)),
        Odd(Halving(2, 3, padding="same", use_bias=False)),
        with_precision(BFCNN(num_layers=3, num_kernels=2, seed=0), "mixed_bfloat16"),
    ],
    ids=[
        "other layers",
        "groups",
        "dilated",
        "even",
        "activation",
        "padding",
        "derived",
        "bfloat16",
    ],
)
def test_other_layers_take_whole_images(denoiser):
    jacobian = jacobian_of(denoiser)
    assert jacobian._rows() is None
    size = jacobian.dimension
    expected = jacobian.apply(np.eye(size).reshape(size, *jacobian.shape)).reshape(size, size).T
    np.testing.assert_array_equal(jacobian.matrix(), expected)
