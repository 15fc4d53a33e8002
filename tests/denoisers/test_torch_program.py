"""What PyTorch runs after some calls is what Keras computes in the first ones."""

import threading

import keras
import numpy as np
import pytest
from keras import ops

import keras_gahr as kg
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
    called = [
        str(node.target) for node in exported.module.graph.nodes if node.op.startswith("call")
    ]
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


class LeftHalf(kg.sampling.measurements.Measurement):
    """What is measured of images is seen by code that no program can be made of."""

    gives_pictures = True

    def __init__(self, see):
        self.shape = 8, 8, 1
        self.measured_shape = 8, 4, 1
        self.see = see

    def measure(self, images):
        self.see(images)
        return images[:, :, :4]

    def back_project(self, measured):
        return ops.pad(measured, [(0, 0), (0, 0), (0, 4), (0, 0)])


def all_finite(images):
    assert torch.isfinite(images).all()


@pytest.mark.parametrize("see", [all_finite, ops.convert_to_numpy], ids=["assert", "numpy"])
def test_what_cannot_be_exported_goes_on_as_it_began(see, denoiser, monkeypatch, capfd):
    shapes = exports(monkeypatch)
    schedule = kg.sampling.AscentSchedule(max_steps=CALLS_BEFORE_EXPORT + 5, sigma_end=1e-6)
    found, expected = (
        kg.sample(
            denoiser, (8, 8), measurement=half, measured=half(noisy(1)), count=1, schedule=schedule
        )
        for half in (LeftHalf(see), LeftHalf(lambda images: None))
    )
    assert found.steps[0] > CALLS_BEFORE_EXPORT
    np.testing.assert_allclose(found.images, expected.images, atol=1e-5)
    # Tried once, and without a word.
    assert len(shapes) == 2
    assert capfd.readouterr().err == ""


def test_threads_share_a_program(denoiser, monkeypatch):
    shapes = exports(monkeypatch)
    inference = Inference(denoiser)
    images = [noisy(1) * scale for scale in (0.25, 0.5, 1, 2)]
    expected = [inference.residual(each) for each in images]
    together, found = threading.Barrier(len(images)), [None] * len(images)

    def run(place):
        together.wait()
        found[place] = [inference.residual(images[place]) for _ in range(CALLS_BEFORE_EXPORT)]

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shapes) == 1
    for several, one in zip(found, expected, strict=True):
        np.testing.assert_allclose(several, np.stack([one] * CALLS_BEFORE_EXPORT), atol=1e-5)


def test_weights_may_be_put_elsewhere(monkeypatch):
    """Without norms the network is the denoiser itself, of whose weights no copies are made."""
    shapes = exports(monkeypatch)
    denoiser = kg.denoisers.DilatedUNet(num_kernels=4, seed=0)
    inference = Inference(denoiser)
    for _ in range(CALLS_BEFORE_EXPORT + 1):
        before = inference.residual(noisy(1))
    with torch.no_grad():
        for weight in denoiser.parameters():
            weight.data = 1.5 * weight
    after = [inference.residual(noisy(1)) for _ in range(CALLS_BEFORE_EXPORT + 2)]
    expected = kg.denoisers.Inference(denoiser).residual(noisy(1))
    assert np.abs(expected - before).max() > 0.1 * np.abs(before).max()
    np.testing.assert_allclose(after, np.stack([expected] * len(after)), atol=1e-5)
    assert len(shapes) == 2
