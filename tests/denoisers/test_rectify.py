"""ReLUs, which may write over images while a network learns."""

import keras
import numpy as np
import pytest
from keras import ops
from networks import relative_difference

from keras_gahr import BFCNN, UNet
from keras_gahr._backend import convolution
from keras_gahr.denoisers import layers
from keras_gahr.training import BlindTraining

IMAGES = np.array([-1.5, -0.0, 0.0, 2.0, np.nan, -np.inf, np.inf], np.float32)


def test_it_is_the_positive_part():
    """And hides no failure: what is no number stays none."""
    expected = ops.convert_to_numpy(ops.relu(IMAGES))
    images = ops.convert_to_tensor(IMAGES)
    found = ops.convert_to_numpy(convolution.rectify(images))
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.array_equal(ops.convert_to_numpy(images), IMAGES, equal_nan=True)
    assert np.isnan(found[4])


def test_what_nobody_differentiates_stays_while_a_network_learns():
    images = ops.convert_to_tensor(IMAGES)
    with convolution.learning():
        convolution.rectify(images)
    assert np.array_equal(ops.convert_to_numpy(images), IMAGES, equal_nan=True)


def test_with_settings_it_is_keras():
    found = layers.ReLU(max_value=1.0, negative_slope=0.5)(IMAGES[:4])
    assert ops.convert_to_numpy(found) == pytest.approx([-0.75, 0.0, 0.0, 1.0])


@pytest.mark.parametrize("network", [BFCNN, UNet])
def test_gradients_of_a_training_are_those_without_it(network, monkeypatch):
    """All weights after two steps, in which a network of several branches writes over its images."""
    sizes = {"num_layers": 4} if network is BFCNN else {"num_blocks": 2}
    images = np.random.default_rng(0).random((4, 8, 8, 1)).astype(np.float32)

    def trained():
        denoiser = network(num_kernels=3, seed=0, **sizes)
        model = BlindTraining(denoiser, seed=0)
        model.compile(optimizer=keras.optimizers.SGD(1e-2), jit_compile=False)
        model.fit(images, batch_size=2, shuffle=False, verbose=0)
        return denoiser.get_weights()

    found = trained()
    monkeypatch.setattr(layers.ReLU, "call", keras.layers.ReLU.call)
    for ours, plain in zip(found, trained(), strict=True):
        assert relative_difference(ours, plain) < 1e-6  # The same operations.
