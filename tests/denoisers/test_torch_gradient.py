"""The convolution of trainings against PyTorch's own: derivatives in every mode."""

import itertools
import json

import keras
import numpy as np
import pytest

from tests.tolerances import GRADIENT, WINOGRAD

if keras.backend.backend() != "torch":
    pytest.skip("a convolution for PyTorch", allow_module_level=True)

import torch
from torch.autograd import forward_ad

from keras_gahr import BFCNN, _backend
from keras_gahr._backend import convolution
from keras_gahr._backend.convolution import choice, torch_gradient, winograd
from keras_gahr._backend.convolution.torch_gradient import convolve, plain
from keras_gahr._backend.convolution.winograd import torch as tiles

GRADIENT_WAYS = [*winograd.WAYS, torch_gradient.SHIFTED]


def gradients(function, images, kernel):
    outputs = function(images, kernel)
    return torch.autograd.grad((outputs**3).sum(), (images, kernel))


def second_derivatives(function, images, kernel):
    in_images, in_kernel = torch.autograd.grad(
        (function(images, kernel) ** 3).sum(), (images, kernel), create_graph=True
    )
    return torch.autograd.grad((in_images**2).sum() + (in_kernel**2).sum(), (images, kernel))


def tangent(function, images, kernel):
    with forward_ad.dual_level():
        outputs = function(
            forward_ad.make_dual(images, images.flip(0)), forward_ad.make_dual(kernel, kernel + 1)
        )
        return [forward_ad.unpack_dual(outputs).tangent]


def tangent_of_gradients(function, images, kernel):
    def tangent(function, images, kernel):
        return torch.func.jvp(function, (images, kernel), (images.flip(0), kernel + 1))[1]

    in_both = torch.func.grad(lambda *both: (function(*both) ** 3).sum(), argnums=(0, 1))
    return tangent(in_both, images.detach(), kernel.detach())


def gradients_of_each_image(function, images, kernel):
    def of_one(kernel, image):
        return (function(image[None], kernel) ** 3).sum()

    return [torch.func.vmap(torch.func.grad(of_one), (None, 0))(kernel.detach(), images.detach())]


def choose(monkeypatch, to_convolve, to_gradient):
    monkeypatch.setattr(torch_gradient, "way_to_convolve", lambda *shapes: to_convolve)
    monkeypatch.setattr(torch_gradient, "way_to_gradient", lambda *shapes: to_gradient)


def check(derivative, images_shape, kernel_shape):
    """Against PyTorch's own in float64."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(images_shape, generator=generator).requires_grad_()
    kernel = torch.randn(kernel_shape, generator=generator).requires_grad_()
    found = derivative(convolve, images, kernel)
    wide = (tensor.detach().double().requires_grad_() for tensor in (images, kernel))
    for ours, exact in zip(found, derivative(plain, *wide), strict=True):
        assert ours.shape == exact.shape and ours.dtype == torch.float32
        assert (ours - exact).abs().max() < GRADIENT * exact.abs().max()


@pytest.mark.parametrize("derivative", [gradients, second_derivatives, tangent])
@pytest.mark.parametrize(
    "shape", [(3, 3, 3, 2), (2, 3, 3, 1), (1, 3, 3, 3), (2, 5, 3, 3), (3, 1, 7, 1), (2, 1, 1, 4)]
)
def test_derivatives_are_pytorchs(derivative, shape):
    check(derivative, (2, 7, 6, shape[-1]), shape)


@pytest.mark.parametrize("ways", list(itertools.product(winograd.WAYS, GRADIENT_WAYS)))
@pytest.mark.parametrize(
    "derivative",
    [
        gradients,
        second_derivatives,
        tangent,
        tangent_of_gradients,
        # PyTorch says that it takes one image after the other.
        pytest.param(
            gradients_of_each_image,
            marks=pytest.mark.filterwarnings("ignore:There is a performance"),
        ),
    ],
)
@pytest.mark.parametrize("size", [(2, 8, 12), (1, 5, 7), (3, 1, 2)])
def test_derivatives_are_pytorchs_whatever_is_chosen(monkeypatch, size, derivative, ways):
    choose(monkeypatch, *ways)
    check(derivative, (*size, 3), (2, 3, 3, 3))


@pytest.mark.parametrize("side", [2, 4])
def test_a_gradient_by_tiles_in_parts(monkeypatch, side):
    """Several images, and rows of tiles, after the other; against one part."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(5, 2 * side + 1, 2 * side, 2, generator=generator)
    gradient = torch.randn(5, 2 * side + 1, 2 * side, 3, generator=generator)
    whole = tiles.kernel_gradient(images, gradient, side)
    for rows in (1, 2, 3, 7):
        monkeypatch.setattr(tiles, "_AT_ONCE", 4 * rows * (side + 2) ** 2 * 2 * 3)
        parts = tiles.kernel_gradient(images, gradient, side)
        assert (parts - whole).abs().max() < WINOGRAD * whole.abs().max()


@pytest.mark.parametrize("side", [2, 4])
def test_a_kernel_transformed_by_pytorch(side):
    kernel = torch.randn(3, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    found, exact = tiles.transform_tensor(kernel, side), winograd.transform_kernel(kernel, side)
    assert np.abs(found.numpy() - exact).max() < 1e-6 * np.abs(exact).max()


def test_where_it_helps(monkeypatch):
    """For large kernels that learn, in float32, on such a processor; not for a Jacobian."""
    capability = ["AVX2"]
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability[0])
    images, kernel = torch.zeros(1, 64, 64, 32), torch.zeros(32, 3, 3, 32, requires_grad=True)
    helps = torch_gradient.helps
    assert helps(images, kernel)
    assert not helps(images[:, :8, :8], kernel)
    assert not helps(images.double(), kernel)
    assert not helps(images, kernel.detach())
    with torch.no_grad():
        assert not helps(images, kernel)
    with torch_gradient.constant_kernels():
        assert not helps(images, kernel)
    capability[0] = "AVX512"
    assert not helps(images, kernel)


def test_where_tiles_help(monkeypatch):
    """For kernels of 3x3 with many channels, on any processor, but for few pixels."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    images, kernel = torch.zeros(1, 64, 64, 64), torch.zeros(64, 3, 3, 64, requires_grad=True)
    for way in (torch_gradient.way_to_convolve, torch_gradient.way_to_gradient):
        assert way(images.shape, kernel.shape) == winograd.name_of(4)
    helps = torch_gradient.helps
    assert helps(images, kernel)
    assert not helps(images.double(), kernel)
    assert not helps(images[:, :32, :32], kernel)
    assert not helps(images, kernel[:, :1, :1])
    assert not helps(images[..., :32], kernel[..., :32])
    few = (1, 20, 20, 512), (512, 3, 3, 512)
    assert torch_gradient.way_to_convolve(*few) == winograd.OWN
    monkeypatch.setenv(convolution.VARIABLE, "1")
    assert not helps(images, kernel)


def test_a_jacobian_asks_for_no_gradients_of_kernels(monkeypatch):
    seen = []
    monkeypatch.setattr(
        torch_gradient, "helps", lambda *_: seen.append(torch_gradient._constant.get())
    )
    denoiser = BFCNN(num_layers=3, num_kernels=2, seed=0)
    images = torch.ones(1, 4, 4, 1)
    _backend.compile_vjp(denoiser, lambda network, x: network(x))(images)(images)
    assert seen and all(seen)
    seen.clear()
    denoiser(images)
    assert seen and not any(seen)


@pytest.mark.parametrize("way", GRADIENT_WAYS)
def test_choices_of_a_file_are_followed(monkeypatch, tmp_path, way):
    path = tmp_path / "choices.json"
    question = "gradient of 3x3 kernels, 64 to 64 channels, 1 of 64x64 pixels"
    path.write_text(json.dumps({"choices": {question: {"way": way}}}))
    monkeypatch.setenv(choice.VARIABLE, str(path))
    images, kernel = (1, 65, 64, 64), (64, 3, 3, 64)
    assert torch_gradient.way_to_gradient(images, kernel) == way
    check(gradients, images, kernel)


def test_a_training_is_measured(monkeypatch, tmp_path):
    monkeypatch.setenv(choice.VARIABLE, "measured")
    monkeypatch.setenv("KERAS_GAHR_CACHE", str(tmp_path))
    images = torch.zeros(1, 32, 32, 64)
    kernel = torch.zeros(64, 1, 1, 64, requires_grad=True)
    torch_gradient.helps(images, kernel)
    (file,) = tmp_path.rglob("*.json")
    ((question, kept),) = json.loads(file.read_text())["choices"].items()
    assert question == "gradient of 1x1 kernels, 64 to 64 channels, 1 of 32x32 pixels"
    assert list(kept["milliseconds"]) == [winograd.OWN, torch_gradient.SHIFTED]
