"""D(a y) = a D(y) for a > 0: what having no bias means."""

import keras
import numpy as np
import pytest
import tolerances
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import relative_difference, with_unit_gammas

from keras_gahr import BFCNN, DilatedUNet, ReceptiveFieldBFCNN, UNet

DENOISERS = {
    "unet": with_unit_gammas(UNet(num_blocks=2, num_kernels=8, seed=1)),
    "bf_cnn": with_unit_gammas(BFCNN(num_layers=6, num_kernels=8, seed=1)),
    "bf_cnn_rf": with_unit_gammas(ReceptiveFieldBFCNN(receptive_field=13, num_kernels=8, seed=1)),
    "dilated_unet": DilatedUNet(num_kernels=8, seed=1),
}


def homogeneity_error(network, scale, seed):
    noisy = np.random.default_rng(seed).standard_normal((2, 12, 16, 1)).astype(np.float32)
    scaled = network.predict_on_batch(np.float32(scale) * noisy)
    return relative_difference(scaled, np.float32(scale) * network.predict_on_batch(noisy))


@pytest.mark.parametrize("name", DENOISERS)
@settings(max_examples=20)
@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 2**32 - 1))
def test_denoisers_are_homogeneous(name, scale, seed):
    assert homogeneity_error(DENOISERS[name], scale, seed) < tolerances.HOMOGENEITY


def test_one_bias_is_seen():
    """Negative control: the same test notices the smallest bias."""
    x = inputs = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu", bias_initializer="ones")(x)
    network = keras.Model(inputs, keras.layers.Conv2D(1, 3, padding="same", use_bias=False)(x))
    assert homogeneity_error(network, 0.1, 0) > 100 * tolerances.HOMOGENEITY
