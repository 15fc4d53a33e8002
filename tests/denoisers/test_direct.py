"""A denoiser whose network computes the image."""

import numpy as np
import pytest
import tolerances
from networks import relative_difference, with_unit_gammas

from keras_gahr import InputError, ReceptiveFieldBFCNN, UNet, load_denoiser, save_denoiser
from keras_gahr.denoisers import BFCNN, DirectDenoiser
from keras_gahr.denoisers.properties import homogeneity_error
from keras_gahr.training import BlindTraining


@pytest.fixture(scope="module")
def noisy():
    return np.random.default_rng(0).random((2, 8, 8, 1), np.float32)


@pytest.fixture(scope="module")
def direct():
    network = BFCNN(num_layers=3, num_kernels=4, seed=1, provenance={"source": "the network"})
    return DirectDenoiser(with_unit_gammas(network), provenance={"source": "a test"})


def test_what_the_network_returns_is_the_image(direct, noisy):
    found = noisy - direct.predict_on_batch(noisy)
    assert relative_difference(found, direct.network.predict_on_batch(noisy)) < tolerances.OUTPUT
    assert homogeneity_error(direct) < tolerances.HOMOGENEITY
    assert direct.num_parameters == direct.network.num_parameters


def test_its_training_error_is_that_of_the_image(direct, noisy):
    noise = 0.1 * np.random.default_rng(1).standard_normal(noisy.shape).astype(np.float32)
    model = BlindTraining(direct)
    model.compile()
    loss = model.test_on_batch({"clean": noisy, "noise": noise}, return_dict=True)["loss"]
    image = direct.network.predict_on_batch(noisy + noise)
    assert loss == pytest.approx(np.sum((image - noisy) ** 2) / 2, rel=1e-5)


def test_a_conditional_network_keeps_its_condition():
    network = ReceptiveFieldBFCNN(receptive_field=5, num_kernels=12, coarse=False, seed=0)
    direct = DirectDenoiser(with_unit_gammas(network))
    given = np.random.default_rng(0).random((1, 6, 6, 4), np.float32)
    found = given[..., 1:] - direct.predict_on_batch(given)
    assert relative_difference(found, network.predict_on_batch(given)) < tolerances.OUTPUT


def test_a_saved_one_is_the_same(tmp_path, direct, noisy):
    save_denoiser(direct, tmp_path / "x.keras")
    loaded = load_denoiser(tmp_path / "x.keras")
    assert type(loaded) is DirectDenoiser
    assert loaded.get_config() == direct.get_config()
    assert loaded.network.provenance == {"source": "the network"}
    assert np.array_equal(loaded.predict_on_batch(noisy), direct.predict_on_batch(noisy))


def test_sizes_are_those_of_the_network():
    direct = DirectDenoiser(UNet(num_blocks=2, num_kernels=2, seed=0))
    assert direct.size_multiple == 4
    with pytest.raises(InputError, match="multiples of 4"):
        direct.denoise(np.zeros((1, 6, 8, 1), np.float32))


def test_a_fingerprint_is_of_the_network_but_not_of_where_it_is_from(direct):
    def fingerprint(**options):
        network = BFCNN(num_layers=3, num_kernels=4, seed=1, **options)
        return DirectDenoiser(with_unit_gammas(network)).fingerprint()

    assert fingerprint(provenance={"source": "elsewhere"}) == direct.fingerprint()
    assert fingerprint(first_layer_linear=False) != direct.fingerprint()
    assert direct.network.fingerprint() != direct.fingerprint()
