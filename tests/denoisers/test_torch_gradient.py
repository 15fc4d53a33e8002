"""The convolution for processors with AVX2 against PyTorch's own: derivatives in every mode."""

import keras
import pytest

from tests.tolerances import GRADIENT

if keras.backend.backend() != "torch":
    pytest.skip("a convolution for PyTorch", allow_module_level=True)

import torch
from torch.autograd import forward_ad

from keras_gahr import BFCNN, _backend
from keras_gahr._backend.convolution import torch_gradient
from keras_gahr._backend.convolution.torch_gradient import convolve, plain


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


@pytest.mark.parametrize("derivative", [gradients, second_derivatives, tangent])
@pytest.mark.parametrize(
    "shape", [(3, 3, 3, 2), (2, 3, 3, 1), (1, 3, 3, 3), (2, 5, 3, 3), (3, 1, 7, 1), (2, 1, 1, 4)]
)
def test_derivatives_are_pytorchs(derivative, shape):
    torch.manual_seed(0)
    images = torch.randn(2, 7, 6, shape[-1], requires_grad=True)
    kernel = torch.randn(shape, requires_grad=True)
    ours, theirs = (derivative(function, images, kernel) for function in (convolve, plain))
    for our, their in zip(ours, theirs, strict=True):
        assert our.shape == their.shape
        assert (our - their).abs().max() < GRADIENT * their.abs().max()


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
