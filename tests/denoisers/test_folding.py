"""Networks without norms compute what the networks with them do."""

import numpy as np
import pytest
import tolerances
from keras import ops
from networks import NETWORKS, from_checkpoint, nhwc, relative_difference, with_unit_gammas

from keras_gahr import BFCNN, MultiScaleDenoiser, ReceptiveFieldBFCNN
from keras_gahr.denoisers import BiasFreeNorm, DilatedUNet, Inference, folding, with_precision
from keras_gahr.denoisers.folding import FoldedNetwork

QUICK = ("unet_2block", "bf_cnn_21_relu", "bf_cnn_rf13_fine")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS],
)
def test_golden_networks(golden, name):
    denoiser, _ = from_checkpoint(golden / f"{name}.pt")
    arrays = np.load(golden / f"{name}.npz")
    inference = Inference(denoiser)
    found = inference.residual(nhwc(arrays["noisy"]))
    assert relative_difference(found, nhwc(arrays["eval_output"])) < tolerances.OUTPUT
    layers = FoldedNetwork(denoiser).network.layers
    assert not any(isinstance(layer, BiasFreeNorm) for layer in layers)
    norms = sum(isinstance(layer, BiasFreeNorm) for layer in denoiser.layers)
    assert len(layers) == len(denoiser.layers) - norms


def test_the_parts_of_a_multi_scale_denoiser():
    parts = [ReceptiveFieldBFCNN(1, 5, 4, coarse=False, seed=seed) for seed in (1, 2)]
    denoiser = MultiScaleDenoiser(
        with_unit_gammas(BFCNN(num_layers=3, num_kernels=4, seed=0)),
        [with_unit_gammas(part) for part in parts],
    )
    noisy = np.random.default_rng(0).random((2, 8, 12, 1), np.float32)
    found = Inference(denoiser).residual(noisy)
    assert relative_difference(found, denoiser.predict_on_batch(noisy)) < tolerances.OUTPUT
    network = FoldedNetwork(denoiser).network
    assert len(network.weights) == 3 + 2 * 21


def test_a_network_in_bfloat16_stays_in_it():
    denoiser = with_unit_gammas(BFCNN(num_layers=4, num_kernels=8, seed=0))
    mixed = with_precision(denoiser, "mixed_bfloat16")
    noisy = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    network = FoldedNetwork(mixed).network
    assert {layer.compute_dtype for layer in network.layers if layer.weights} == {"bfloat16"}
    found = Inference(mixed).residual(noisy)
    assert found.dtype == np.float32
    expected = denoiser.predict_on_batch(noisy)
    assert 0 < relative_difference(found, expected) < tolerances.BFLOAT16_OUTPUT


def test_new_weights_are_taken_over_when_asked():
    denoiser = with_unit_gammas(BFCNN(num_layers=3, num_kernels=4, seed=0))
    noisy = np.random.default_rng(0).random((1, 8, 8, 1), np.float32)
    inference = Inference(denoiser)
    before = inference.residual(noisy)
    denoiser.get_layer("norm_1").gamma.assign([-2.0, 0.5, 3.0, 1.0])
    assert np.array_equal(inference.residual(noisy), before)
    inference.refold()
    found = inference.residual(noisy)
    assert relative_difference(found, denoiser.predict_on_batch(noisy)) < tolerances.OUTPUT
    assert relative_difference(found, before) > 0.1


def test_only_layers_that_changed_are_taken_over(monkeypatch):
    denoiser = with_unit_gammas(BFCNN(num_layers=4, num_kernels=4, seed=0))
    folded = FoldedNetwork(denoiser)
    changed = []
    monkeypatch.setattr(folding.convolution, "kernel_changed", lambda kernel: changed.append(1))
    folded.refold()
    assert len(changed) == 0
    denoiser.get_layer("norm_1").running_sd.assign([2.0, 0.5, 3.0, 1.0])
    denoiser.layers[-1].kernel.assign(2 * ops.convert_to_tensor(denoiser.layers[-1].kernel))
    folded.refold()
    assert len(changed) == 2
    noisy = np.random.default_rng(0).random((1, 8, 8, 1), np.float32)
    found = ops.convert_to_numpy(folded.network(noisy))
    assert relative_difference(found, denoiser.predict_on_batch(noisy)) < tolerances.OUTPUT


def test_a_network_without_norms_is_not_copied():
    denoiser = DilatedUNet(num_kernels=2, seed=0)
    assert FoldedNetwork(denoiser).network is denoiser
