"""What PyTorch runs after some calls is what Keras computes in the first ones."""

import keras
import numpy as np
import pytest

from keras_gahr import UNet
from keras_gahr.denoisers import Inference

if keras.backend.backend() != "torch":
    pytest.skip("programs of PyTorch", allow_module_level=True)

import torch

from keras_gahr._backend.convolution.torch_program import CALLS_BEFORE_EXPORT, Program


@pytest.fixture
def denoiser():
    return UNet(num_blocks=1, num_kernels=8, seed=0)


def noisy(count, size=8):
    return np.random.default_rng(0).random((count, size, size, 1), dtype="float32")


def exports(monkeypatch):
    """Shapes of the first tensor of each export from now on."""
    shapes = []
    export = torch.export.export

    def recorded(program, tensors, **options):
        shapes.append(tuple(tensors[0].shape))
        return export(program, tensors, **options)

    monkeypatch.setattr(torch.export, "export", recorded)
    return shapes


def test_each_shape_is_exported_once_after_some_calls(denoiser, monkeypatch):
    shapes = exports(monkeypatch)
    inference = Inference(denoiser)
    for images in (noisy(2), noisy(3)):
        first = inference.denoise(images)
        for _ in range(CALLS_BEFORE_EXPORT + 2):
            np.testing.assert_array_equal(inference.denoise(images), first)
    assert shapes == [(2, 8, 8, 1), (3, 8, 8, 1)]


def test_few_calls_export_nothing(denoiser, monkeypatch):
    shapes = exports(monkeypatch)
    inference = Inference(denoiser)
    for _ in range(CALLS_BEFORE_EXPORT):
        inference.denoise(noisy(1))
    assert not shapes


def test_exported_programs_check_and_cast_nothing(denoiser):
    program = Program(denoiser, lambda network, y: network(y))
    for _ in range(CALLS_BEFORE_EXPORT + 1):
        program.run(noisy(1))
    (exported,) = program._exported.values()
    called = [str(node.target) for node in exported.graph.nodes if node.op.startswith("call")]
    assert any("conv" in name for name in called)
    assert not [name for name in called if "assert" in name or "guard" in name or ".to." in name]


def test_weights_are_read_at_each_call(denoiser):
    inference = Inference(denoiser)
    for _ in range(CALLS_BEFORE_EXPORT + 1):
        before = inference.denoise(noisy(1))
    for variable in denoiser.trainable_variables:
        variable.assign(1.5 * variable)
    inference.refold()
    after = inference.denoise(noisy(1))
    assert np.abs(after - before).max() > 1e-5
    np.testing.assert_array_equal(after, Inference(denoiser).denoise(noisy(1)))


def test_no_graph_of_gradients_is_kept(denoiser):
    program = Program(denoiser, lambda network, y: {"twice": 2 * network(y)})
    for _ in range(CALLS_BEFORE_EXPORT + 1):
        result = program.run(noisy(1))
        assert not result["twice"].requires_grad


def test_numbers_are_tensors_that_may_change(denoiser):
    program = Program(denoiser, lambda network, y, factor: factor * network(y))
    once = program.run(noisy(1), 1.0)
    for factor in range(1, CALLS_BEFORE_EXPORT + 3):
        result = program.run(noisy(1), float(factor))
        torch.testing.assert_close(result, factor * once)
