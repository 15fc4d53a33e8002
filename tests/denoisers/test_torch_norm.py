"""The norm of trainings on PyTorch against Keras' operations in float64: derivatives in every mode."""

import keras
import pytest

from tests.tolerances import GRADIENT, RUNNING_SD

if keras.backend.backend() != "torch":
    pytest.skip("a norm for PyTorch", allow_module_level=True)

import torch

from keras_gahr._backend.convolution import plain, torch_norm

EPSILON = 1e-5


def exact(x, gamma):
    """`plain.normalize` computes deviations in float32."""
    sd = torch.sqrt(x.var((0, 1, 2), correction=0) + EPSILON)
    return x * (gamma / sd)


def ours(x, gamma):
    return torch_norm.normalize(x, gamma, EPSILON)[0]


def gradients(function, x, gamma):
    return torch.autograd.grad((function(x, gamma) ** 3).sum(), (x, gamma))


def gradient_of_one(function, x, gamma):
    (in_x,) = torch.autograd.grad((function(x, gamma.detach()) ** 3).sum(), x)
    (in_gamma,) = torch.autograd.grad((function(x.detach(), gamma) ** 3).sum(), gamma)
    return in_x, in_gamma


def second_derivatives(function, x, gamma):
    found = torch.autograd.grad((function(x, gamma) ** 3).sum(), (x, gamma), create_graph=True)
    return torch.autograd.grad(sum((tensor**2).sum() for tensor in found), (x, gamma))


def tangents(function, x, gamma):
    x, gamma = x.detach(), gamma.detach()
    along = torch.cos(3 * x), gamma + 1
    both = torch.func.jvp(function, (x, gamma), along)[1]
    of_x = torch.func.jvp(lambda x: function(x, gamma), (x,), along[:1])[1]
    of_gamma = torch.func.jvp(lambda gamma: function(x, gamma), (gamma,), along[1:])[1]
    return both, of_x, of_gamma


@pytest.mark.parametrize("derivative", [gradients, gradient_of_one, second_derivatives, tangents])
@pytest.mark.parametrize("shape", [(2, 6, 4, 3), (1, 1, 7, 5), (3, 5, 1, 1), (3, 2, 5, 1030)])
def test_derivatives_are_those_of_the_definition(derivative, shape):
    generator = torch.Generator().manual_seed(0)
    x = (torch.randn(shape, generator=generator) + 0.5).requires_grad_()
    gamma = torch.randn(shape[-1], generator=generator).requires_grad_()
    found = derivative(ours, x, gamma)
    wide = (tensor.detach().double().requires_grad_() for tensor in (x, gamma))
    for our, expected in zip(found, derivative(exact, *wide), strict=True):
        assert our.shape == expected.shape
        assert (our - expected).abs().max() < GRADIENT * expected.abs().max()


@pytest.mark.parametrize("split", [True, False])
def test_many_pixels_are_added_up_exactly(monkeypatch, split):
    """Negative control: not if they are added up one after the other."""
    if not split:
        monkeypatch.setattr(torch_norm, "_LEAST_SUMS", 1)
        monkeypatch.setattr(torch_norm, "_LONGEST_SUM", 2**30)
    x = torch.randn(16, 80, 80, 2, generator=torch.Generator().manual_seed(0)) + 1
    _, sd = torch_norm.normalize(x, torch.ones(2), EPSILON)
    expected = torch.sqrt(x.double().var((0, 1, 2), correction=0) + EPSILON)
    assert bool((sd / expected - 1).abs().max() < RUNNING_SD / 10) is split


def test_where_it_helps():
    x = torch.ones(2, 4, 4, 1)
    assert torch_norm.helps(x)
    assert not torch_norm.helps(x.bfloat16())
    assert not torch_norm.helps(x.to("meta"))
    narrow, sd = plain.normalize(x.bfloat16(), torch.ones(1), EPSILON)
    assert narrow.dtype == torch.bfloat16 and sd.dtype == torch.float32
