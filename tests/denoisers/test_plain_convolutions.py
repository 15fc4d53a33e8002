"""The switch that turns all tricks of convolutions off: what is used then, and that results stay."""

import importlib

import keras
import numpy as np
import pytest
import tolerances
from networks import (
    from_checkpoint,
    nhwc,
    relative_difference,
    residual_of_many_calls,
    with_unit_gammas,
)

from keras_gahr import BFCNN, UNet, _backend
from keras_gahr._backend import convolution
from keras_gahr._backend.convolution import plain, winograd
from keras_gahr.denoisers import Inference
from keras_gahr.denoisers.footprint import footprint

backend = importlib.import_module(f"{convolution.__name__}.{keras.backend.backend()}")
PLAIN = "convolve", "convolve_transposed", "average_pool", "normalize", "rectify"
OTHERS = {
    "torch": {
        "torch_constant": ["convolve"],
        "torch_gradient": ["convolve"],
        "torch_program": ["_without_idle_nodes"],
    },
    "jax": {"jax_gradient": ["convolve"], "jax_tiles": ["convolve"]},
    "tensorflow": {},
}


@pytest.fixture
def switched_off(monkeypatch):
    monkeypatch.setenv(convolution.VARIABLE, "1")


@pytest.fixture
def used(monkeypatch):
    """The names of all tricks that are used from now on, and whether plain operations are."""
    names = []

    def record(module, name, told):
        original = getattr(module, name)

        def recorded(*arguments, **options):
            names.append(told)
            return original(*arguments, **options)

        monkeypatch.setattr(module, name, recorded)

    for name in (*PLAIN, "run_convolution"):
        if getattr(backend, name) is not getattr(plain, name):
            record(backend, name, "trick")
    record(winograd._module, "convolve_tiles", "trick")
    record(winograd, "fastest_side", "trick")
    for module, tricks in OTHERS[keras.backend.backend()].items():
        module = importlib.import_module(f"{convolution.__name__}.{module}")
        for name in tricks:
            record(module, name, "trick")
    for name in PLAIN:
        record(plain, name, "plain")
    record(backend, "plain_convolve", "plain")
    return names


def noisy():
    return np.random.default_rng(0).random((2, 8, 8, 1), np.float32)


def test_with_it_plain_operations_compute_and_results_agree(used, monkeypatch):
    """With enough channels for Winograd's algorithm."""
    denoiser = with_unit_gammas(BFCNN(num_layers=3, num_kernels=128, seed=0))
    expected = residual_of_many_calls(Inference(denoiser), noisy())
    assert "trick" in used  # Negative control: every backend has one at least.
    used.clear()
    monkeypatch.setenv(convolution.VARIABLE, "1")
    assert (
        relative_difference(residual_of_many_calls(Inference(denoiser), noisy()), expected)
        < tolerances.OUTPUT
    )
    assert set(used) == {"plain"}


def test_gradients_of_kernels_and_images_agree(switched_off, used):
    """Against the definition: linear in the kernel, whose gradient of |y|^2 / 2 times it is |y|^2."""
    model = BFCNN(num_layers=3, num_kernels=1, seed=0)
    rng = np.random.default_rng(0)
    images = rng.standard_normal((2, 6, 5, 3)).astype(np.float32)
    kernel = rng.standard_normal((3, 3, 3, 2)).astype(np.float32)

    def of_kernel(network, kernel):
        kernel = keras.ops.transpose(kernel, convolution.KERNEL_AXES)
        return convolution.convolve(keras.ops.convert_to_tensor(images), kernel)

    def transposed(network, kernel):
        return convolution.convolve_transposed(keras.ops.convert_to_tensor(images), kernel)

    for function, weights in ((of_kernel, kernel), (transposed, kernel[:2, :2].swapaxes(2, 3))):
        weights = keras.ops.convert_to_tensor(np.ascontiguousarray(weights))
        result = keras.ops.stop_gradient(function(None, weights))
        gradient = _backend.compile_vjp(model, function)(weights)(result)
        gradient, result = map(keras.ops.convert_to_numpy, (gradient, result))
        found = np.sum(gradient * keras.ops.convert_to_numpy(weights))
        assert found == pytest.approx(np.sum(result**2), rel=tolerances.GRADIENT)
    assert set(used) == {"plain"}


def test_a_golden_network(golden, switched_off, used):
    """With every kind of layer that convolves."""
    denoiser, _ = from_checkpoint(golden / "unet_1block.pt")
    arrays = np.load(golden / "unet_1block.npz")
    found = Inference(denoiser).residual(nhwc(arrays["noisy"]))
    assert relative_difference(found, nhwc(arrays["eval_output"])) < tolerances.OUTPUT
    assert set(used) == {"plain"}


def test_a_training_pass(switched_off, used):
    UNet(num_blocks=1, num_kernels=2, seed=0)(noisy(), training=True)
    assert set(used) == {"plain"}


def test_the_memory_of_plain_operations_is_counted(monkeypatch):
    network = Inference(UNet(num_blocks=1, num_kernels=8, seed=0)).network
    before = footprint(network).per_pixel
    monkeypatch.setenv(convolution.VARIABLE, "1")
    assert footprint(network).per_pixel > before


@pytest.mark.parametrize(("value", "plain"), [("", False), ("0", False), ("1", True)])
def test_what_turns_it_on(value, plain, monkeypatch):
    monkeypatch.setenv(convolution.VARIABLE, value)
    assert convolution.plain_convolutions() is plain
    monkeypatch.delenv(convolution.VARIABLE)
    assert not convolution.plain_convolutions()
