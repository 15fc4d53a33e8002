"""Measured receptive fields and homogeneity."""

import keras
import numpy as np
import pytest
import tolerances
from networks import with_unit_gammas

from keras_gahr import BFCNN, InputError, MultiScaleDenoiser, ReceptiveFieldBFCNN, UNet
from keras_gahr.denoisers import Denoiser, properties
from keras_gahr.denoisers.properties import homogeneity_error, normalizations, receptive_field


class Chain(Denoiser):
    """Convolutions with kernels of any shape, and a bias or not."""

    def __init__(self, kernel_sizes, stride=1, bias=0.0):
        x = inputs = keras.Input((None, None, 1))
        for i, kernel_size in enumerate(kernel_sizes):
            x = keras.layers.Conv2D(
                4,
                kernel_size,
                strides=1 if i else stride,
                padding="same",
                activation="relu",
                bias_initializer=keras.initializers.Constant(bias),
                kernel_initializer=keras.initializers.RandomNormal(seed=i),
            )(x)
        initializer = keras.initializers.RandomNormal(seed=99)
        outputs = keras.layers.Conv2DTranspose(
            1, stride, stride, use_bias=False, kernel_initializer=initializer
        )(x)
        super().__init__(inputs, outputs, 0, None, "chain")


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: BFCNN(num_layers=6, num_kernels=8, seed=1), 13),
        (lambda: ReceptiveFieldBFCNN(receptive_field=9, num_kernels=8, seed=1), 9),
        (lambda: ReceptiveFieldBFCNN(3, 5, num_kernels=8, coarse=False, seed=1), 5),
        (lambda: UNet(num_blocks=1, num_kernels=4, seed=1), 18),
        (lambda: UNet(num_blocks=2, num_kernels=4, seed=1), 44),
    ],
)
def test_known_receptive_fields(build, field):
    assert receptive_field(with_unit_gammas(build())) == (field, field)


@pytest.mark.one_backend
def test_a_unet_as_initialized_has_its_largest_field():
    """Tiny scales must not hide the edges; three halvings give 92 or 100, by the pixel's place."""
    assert receptive_field(UNet(num_blocks=3, num_kernels=4, seed=1)) == (100, 100)


@pytest.mark.one_backend
def test_height_and_width_are_told_apart():
    assert receptive_field(Chain([(3, 7), (3, 3)])) == (5, 9)


@pytest.mark.one_backend
def test_a_stride_that_the_denoiser_does_not_tell_of():
    assert Chain([(2, 2)], stride=2).size_multiple == 1
    assert receptive_field(Chain([(2, 2)], stride=2)) == (2, 2)


@pytest.mark.one_backend
def test_a_field_larger_than_the_first_image_is_found():
    assert receptive_field(Chain([(1, 1), (141, 1)])) == (141, 1)


@pytest.mark.one_backend
def test_a_field_too_large_to_measure_is_refused(monkeypatch):
    monkeypatch.setattr(properties, "_LONGEST", 128)
    with pytest.raises(InputError, match="larger than 64 pixels"):
        receptive_field(Chain([(141, 1)]))


@pytest.mark.one_backend
def test_the_field_of_a_network_with_biases():
    assert receptive_field(Chain([(3, 7), (3, 3)], bias=0.1)) == (5, 9)


@pytest.mark.one_backend
def test_the_field_of_a_multi_scale_denoiser():
    low_band = BFCNN(num_layers=3, num_kernels=8, seed=1)
    detail = ReceptiveFieldBFCNN(receptive_field=5, num_kernels=12, coarse=False, seed=1)
    denoiser = MultiScaleDenoiser(with_unit_gammas(low_band), [with_unit_gammas(detail)])
    # A pixel of the details sees 5 of the low band, each of which saw 7: 11 of half the size.
    assert receptive_field(denoiser) == (22, 22)
    assert len(list(normalizations(denoiser))) == 1 + 19


def test_homogeneity_and_a_bias_that_breaks_it():
    denoiser = with_unit_gammas(UNet(num_blocks=1, num_kernels=4, seed=1))
    assert homogeneity_error(denoiser) < tolerances.HOMOGENEITY
    assert homogeneity_error(Chain([3, 3])) < tolerances.HOMOGENEITY
    assert homogeneity_error(Chain([3, 3], bias=1e-3)) > 100 * tolerances.HOMOGENEITY


def test_homogeneity_sees_the_smallest_scale():
    chain = Chain([3], bias=1e-3)
    assert homogeneity_error(chain, [0.01]) > 10 * homogeneity_error(chain, [0.5])
    assert np.isclose(homogeneity_error(chain, [1.0]), 0)
