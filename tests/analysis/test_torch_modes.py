"""Derivatives and trainings where the caller has turned gradients off, and what is left of failed ones."""

import contextlib
import gc
import weakref

import keras
import numpy as np
import pytest

import keras_gahr as kg

if keras.backend.backend() != "torch":
    pytest.skip("modes of PyTorch", allow_module_level=True)

import torch

OFF = [torch.inference_mode, torch.no_grad]


def images_of(count):
    return np.random.default_rng(0).random((count, 8, 8, 1)).astype(np.float32)


def own():
    return kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3, seed=0)


def wrapped():
    torch.manual_seed(0)
    return kg.wrap(torch.nn.Conv2d(1, 1, 3, padding=1), "image")


@pytest.mark.parametrize("off", OFF)
@pytest.mark.parametrize("make", [own, wrapped])
def test_an_eigenbasis_where_gradients_are_off(make, off):
    denoiser, noisy = make(), images_of(1)[0]
    for frozen_gates in (True, False):
        found = []
        for mode in (contextlib.nullcontext, off):
            with mode():
                jacobian = kg.analysis.Linearizer(denoiser, frozen_gates=frozen_gates).at(noisy)
                found.append([jacobian.matrix(), *map(jacobian.apply_transposed, [noisy[None]])])
        for before, after in zip(*found, strict=True):
            np.testing.assert_allclose(after, before, atol=1e-6)
    with off():
        assert kg.eigenbasis(denoiser, noisy, 4, "lanczos").shrinkage.shape == (4,)


@pytest.mark.parametrize("off", OFF)
@pytest.mark.parametrize("given", [True, False])
def test_a_training_where_gradients_are_off(given, off):
    network = {"denoiser": own()} if given else {"architecture": "bf-cnn", "num_layers": 3}
    with off():
        result = kg.train(
            images_of(8), progress=False, epochs=1, images_per_epoch=8, batch_size=4, **network
        )
        assert not torch.is_grad_enabled()
    assert result.state == "finished"


@pytest.mark.parametrize("off", OFF)
def test_a_formula_that_is_told_other_levels_has_derivatives(off):
    """The copy that is told them is made by whoever asks for them."""
    images = images_of(4)
    wiener = kg.baselines.Wiener.from_images(images, sigma=0.1)
    options = {"sigmas": [0.2], "draws": 2, "probes": 2, "progress": False}
    expected = kg.analysis.local_dimension(wiener, images, **options).trace
    with off():
        found = kg.analysis.local_dimension(wiener, images, **options).trace
    np.testing.assert_array_equal(found, expected)


def test_weights_of_inference_mode_are_refused_in_one_line():
    with torch.inference_mode():
        denoiser = own()
    for call in (
        lambda: kg.analysis.Linearizer(denoiser, frozen_gates=False).at(images_of(1)[0]).matrix(),
        lambda: kg.train(
            images_of(8), denoiser=denoiser, epochs=1, images_per_epoch=4, batch_size=4
        ),
    ):
        with pytest.raises(kg.InputError, match=r"inference_mode\(\), .*outside") as caught:
            call()
        assert "\n" not in str(caught.value)


def test_a_graph_that_is_too_large_is_let_go():
    """The error that is kept for a second one keeps nothing of it."""
    alive = []

    class Large(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return 2 * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.graph = torch.nn.Module()
            alive.append(weakref.ref(ctx.graph))

        @staticmethod
        def backward(ctx, gradient):
            if torch.is_grad_enabled():
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return 2 * gradient

        @staticmethod
        def jvp(ctx, tangent):
            return 2 * tangent

    denoiser = kg.wrap(Large.apply, "image", channels=1)
    linearizer = kg.analysis.Linearizer(denoiser)
    jacobian = linearizer.at(images_of(1)[0])
    alive.clear()
    np.testing.assert_allclose(jacobian.apply(images_of(2)), 2 * images_of(2), rtol=1e-6)
    gc.collect()
    assert alive and not any(each() for each in alive)
