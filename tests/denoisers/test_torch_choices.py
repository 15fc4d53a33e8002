"""What is chosen by measurement on PyTorch besides Winograd's tiles, and where it is asked for."""

import keras
import numpy as np
import pytest
import tolerances
from networks import relative_difference, residual_of_many_calls, with_unit_gammas

if keras.backend.backend() != "torch":
    pytest.skip("choices on PyTorch", allow_module_level=True)

import torch

from keras_gahr import BFCNN
from keras_gahr._backend.convolution import choice, torch_constant, torch_gradient, torch_to_one
from keras_gahr._backend.convolution.choices_file import machine_file
from keras_gahr.denoisers import Inference


@pytest.fixture(autouse=True)
def measured(monkeypatch, tmp_path):
    """An empty cache, whose choices are measured."""
    monkeypatch.setattr(choice, "_decided", {})
    monkeypatch.setenv(choice.VARIABLE, "measured")
    monkeypatch.setenv("KERAS_GAHR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def chosen(monkeypatch, tmp_path):
    """A function that takes ways by questions, each the beginning of some."""

    def choose(**ways):
        choices = {}

        def fastest(question, ways_there, usual, factors=None, may_measure=None):
            kinds = [kind for kind in ways if kind.replace("_", " ") in question]
            choices[question] = ways[kinds[0]] if kinds else usual
            assert choices[question] in ways_there
            return choices[question]

        for module in (torch_constant, torch_to_one):
            monkeypatch.setattr(module, "fastest", fastest)
        return choices

    return choose


@pytest.mark.parametrize("layout", torch_constant._LAYOUTS)
@pytest.mark.parametrize("to_one", torch_to_one._WAYS)
def test_whatever_is_chosen_results_stay(monkeypatch, chosen, layout, to_one):
    """In an exported program, too."""
    monkeypatch.setattr(torch_constant.winograd, "tile_side", lambda *sizes: None)
    choices = chosen(layout=layout, to_1_channel=to_one)
    denoiser = with_unit_gammas(BFCNN(num_layers=4, num_kernels=64, seed=0))
    noisy = np.random.default_rng(0).random((2, 9, 10, 1), np.float32)
    with torch.no_grad():
        expected = keras.ops.convert_to_numpy(denoiser(noisy))
    found = residual_of_many_calls(Inference(denoiser), noisy)
    assert {layout, to_one} <= set(choices.values())
    assert relative_difference(found, expected) < tolerances.OUTPUT


@pytest.mark.parametrize("way", torch_to_one._WAYS)
def test_derivatives_stay(chosen, way):
    chosen(to_1_channel=way)
    rng = np.random.default_rng(0)
    images, kernel = (
        torch.from_numpy(rng.standard_normal(shape, np.float32)).requires_grad_()
        for shape in ((2, 6, 7, 64), (1, 3, 3, 64))
    )
    both = images, kernel
    found = torch.autograd.grad((torch_to_one.convolve(*both) ** 3).sum(), both)
    expected = torch.autograd.grad((torch_gradient.plain(*both) ** 3).sum(), both)
    for one, other in zip(found, expected, strict=True):
        assert relative_difference(one.numpy(), other.numpy()) < tolerances.GRADIENT


@pytest.mark.parametrize("convolve", [torch_to_one.convolve, torch_gradient.convolve])
def test_where_functions_are_transformed(convolve):
    """Nothing can be measured there, and nothing is kept."""
    kernels = 1 if convolve is torch_to_one.convolve else 64
    images, kernel = torch.ones(2, 32, 32, 64), torch.ones(kernels, 3, 3, 64, requires_grad=True)

    def of_one(kernel, image):
        return convolve(image[None], kernel).sum()

    found = torch.func.vmap(torch.func.grad(of_one), (None, 0))(kernel, images)
    assert found.shape == (2, *kernel.shape)
    assert not machine_file().path.exists()
    with torch.enable_grad():
        convolve(images, kernel).sum().backward()
    assert machine_file().path.exists()


def test_while_a_program_is_exported():
    class Network(torch.nn.Module):
        def forward(self, images, kernel):
            return torch_to_one.convolve(images, kernel)

    tensors = torch.ones(1, 8, 8, 64), torch.ones(1, 3, 3, 64)
    program = torch.export.export(Network(), tensors, strict=False).module()
    expected = torch_gradient.plain(*tensors)
    assert relative_difference(program(*tensors).numpy(), expected.numpy()) < tolerances.OUTPUT
    assert not machine_file().path.exists()


@pytest.mark.parametrize("num_kernels", [4, 64])
def test_no_images_have_no_residuals(num_kernels):
    denoiser = BFCNN(num_kernels=num_kernels, num_layers=3, seed=0)
    assert denoiser(np.zeros((0, 8, 8, 1), np.float32)).shape == (0, 8, 8, 1)
