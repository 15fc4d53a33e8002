"""Convolutions on PyTorch with a kernel that is prepared once."""

import gc
import importlib

import keras
import numpy as np
import pytest
import tolerances
from networks import relative_difference, residual_of_many_calls, with_unit_gammas

from keras_gahr import BFCNN, UNet
from keras_gahr._backend import convolution
from keras_gahr._backend.convolution import winograd
from keras_gahr.denoisers import Inference

pytestmark = pytest.mark.one_backend
if keras.backend.backend() != "torch":
    pytest.skip("PyTorch's convolutions", allow_module_level=True)

import torch  # noqa: E402

from keras_gahr._backend.convolution import (  # noqa: E402
    torch_constant,
    torch_gradient,
    torch_packed,
)
from keras_gahr._backend.convolution.winograd import torch as tiles  # noqa: E402

WAYS = ["own", "packed", "2", "4", "2 packed", "4 packed"]


def drawn(*shape, dtype=torch.float32):
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape, np.float32)).to(dtype)


@pytest.fixture
def by(monkeypatch):
    """A function of a way, that all kernels are then prepared for."""

    def choose(way):
        monkeypatch.setattr(torch_packed, "works", lambda: way == "packed")
        monkeypatch.setattr(torch_packed, "multiplies", lambda: way.endswith(" packed"))
        side = int(way[0]) if way[0].isdigit() else None
        monkeypatch.setattr(winograd, "tile_side", lambda *sizes: side)

    return choose


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(2, 8, 6), (1, 1, 1), (3, 5, 1), (1, 1, 7)])
def test_any_images(by, way, shape):
    by(way)
    images, kernel = drawn(*shape, 3), drawn(4, 3, 3, 3)
    found = convolution.convolve_constant(images, kernel)
    expected = torch_gradient.plain(images.double(), kernel.double())
    assert found.is_contiguous()
    assert relative_difference(found.numpy(), expected.numpy()) < tolerances.WINOGRAD


@pytest.mark.parametrize("kernel", [(2, 1, 1, 3), (2, 5, 5, 3), (5, 3, 1, 2), (3, 7, 3, 1)])
@pytest.mark.parametrize("way", ["own", "packed"])
def test_any_kernel(by, way, kernel):
    by(way)
    images, kernel = drawn(2, 9, 8, kernel[3]), drawn(*kernel)
    found = convolution.convolve_constant(images, kernel)
    expected = torch_gradient.plain(images.double(), kernel.double())
    assert relative_difference(found.numpy(), expected.numpy()) < tolerances.OUTPUT


def test_bfloat16_is_that_of_pytorch(monkeypatch):
    monkeypatch.setattr(torch_constant.winograd, "tile_side", lambda *sizes: 4)
    images, kernel = drawn(2, 9, 8, 64, dtype=torch.bfloat16), drawn(64, 3, 3, 64).bfloat16()
    found = convolution.convolve_constant(images, kernel)
    assert found.dtype == torch.bfloat16
    expected = torch_gradient.plain(images.float(), kernel.float())
    assert relative_difference(found.float().numpy(), expected.numpy()) < tolerances.BFLOAT16_OUTPUT


def test_bfloat16_that_is_widened_keeps_nothing(by, prepared, monkeypatch):
    """Of processors without instructions for it: its kernel in float32 is another one at each call."""
    by("4 packed")
    backend = importlib.import_module("keras_gahr._backend.convolution.torch")
    monkeypatch.setattr(backend, "_multiplies_bfloat16", lambda: False)
    images, kernel = drawn(2, 9, 8, 3, dtype=torch.bfloat16), drawn(4, 3, 3, 3).bfloat16()
    found = convolution.convolve_constant(images, kernel)
    expected = torch_gradient.plain(images.float(), kernel.float()).bfloat16()
    assert torch.equal(found, expected)
    assert not prepared


@pytest.mark.parametrize("kernel", [(2, 2, 4, 3), (1, 3, 2, 5), (4, 4, 1, 2)])
def test_transposed_ones(kernel):
    images, kernel = drawn(2, 5, 7, kernel[3]), drawn(*kernel)
    for some in (images, images[:1, :3]):
        found = convolution.convolve_transposed_constant(some, kernel)
        expected = convolution.convolve_transposed(some.double(), kernel.double())
        assert found.is_contiguous()
        assert relative_difference(found.numpy(), expected.numpy()) < tolerances.OUTPUT
        narrow = convolution.convolve_transposed_constant(some.bfloat16(), kernel.bfloat16())
        assert narrow.dtype == torch.bfloat16
        assert (
            relative_difference(narrow.float().numpy(), expected.numpy())
            < tolerances.BFLOAT16_OUTPUT
        )


@pytest.mark.parametrize("way", WAYS)
def test_what_has_failed_is_seen_behind_a_relu(by, way):
    """NaN stays NaN, where oneDNN's own ReLU would make 0 of it."""
    by(way)
    images, kernel = drawn(1, 6, 6, 3), drawn(4, 3, 3, 3)
    expected = convolution.convolve_constant(images, kernel).relu()
    assert torch.equal(torch_constant.compute(images, kernel, rectified=True), expected)
    images[0, 2, 2, 1] = torch.nan
    assert torch_constant.compute(images, kernel, rectified=True)[0, 2, 2].isnan().all()


@pytest.mark.parametrize("way", WAYS)
def test_images_of_another_size_and_kernels_that_change(by, way):
    """As in a training, which changes them in place."""
    by(way)
    kernel = drawn(4, 3, 3, 3)
    for size in (8, 5, 5, 8):
        images = drawn(1, size, size, 3)
        found = convolution.convolve_constant(images, kernel)
        expected = torch_gradient.plain(images, kernel)
        assert relative_difference(found.numpy(), expected.numpy()) < tolerances.WINOGRAD
        kernel.mul_(-2)
        convolution.kernel_changed(kernel)


@pytest.fixture
def prepared(monkeypatch):
    """A list with an entry for each time that a kernel is transformed or put into order."""
    prepared = []
    for module, name in ((torch_constant, "own"), (tiles, "transform_kernel")):
        make = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *given, make=make: prepared.append(1) or make(*given)
        )
    return prepared


@pytest.mark.parametrize("way", WAYS)
def test_a_kernel_is_prepared_once_and_forgotten_with_it(by, prepared, way):
    by(way)
    gc.collect()
    before = len(torch_constant._prepared)
    kernel = drawn(4, 3, 3, 3)
    for _ in range(3):
        convolution.convolve_constant(drawn(1, 6, 6, 3), kernel)
    assert len(prepared) == 1
    assert len(torch_constant._prepared) == before + 1
    del kernel
    gc.collect()
    assert len(torch_constant._prepared) == before


@pytest.mark.parametrize("way", WAYS)
def test_derivatives_are_those_of_a_convolution(by, way):
    by(way)
    images, kernel = drawn(1, 6, 6, 3).requires_grad_(), drawn(4, 3, 3, 3).requires_grad_()
    found = torch.autograd.grad(
        convolution.convolve_constant(images, kernel).square().sum(), (images, kernel)
    )
    expected = torch.autograd.grad(
        torch_gradient.plain(images, kernel).square().sum(), (images, kernel)
    )
    for one, other in zip(found, expected, strict=True):
        assert relative_difference(one.numpy(), other.numpy()) < tolerances.OUTPUT


@pytest.mark.parametrize("way", WAYS)
def test_an_exported_network_follows_its_weights(by, way):
    by(way)
    denoiser = with_unit_gammas(UNet(num_blocks=1, num_kernels=4, seed=0))
    inference = Inference(denoiser)
    noisy = np.random.default_rng(0).random((2, 8, 12, 1), np.float32)
    for factor in (1, 0.5):
        denoiser.set_weights([factor * weight for weight in denoiser.get_weights()])
        inference.refold()
        found = residual_of_many_calls(inference, noisy)
        expected = denoiser.predict_on_batch(noisy)
        assert relative_difference(found, expected) < tolerances.OUTPUT


def test_neither_another_network_nor_an_export_prepares_kernels_again(by, prepared):
    """To transform all of them takes as long as many images."""
    by("4 packed")
    inference = Inference(BFCNN(num_layers=5, num_kernels=4, seed=0))
    noisy = np.zeros((1, 8, 8, 1), np.float32)
    inference.residual(noisy)
    # The last has one channel, and a way of its own.
    assert len(prepared) == 4
    Inference(BFCNN(num_layers=5, num_kernels=4, seed=1)).refold()
    residual_of_many_calls(inference, noisy)
    assert len(prepared) == 4


def test_few_pixels_take_pytorch_s_own():
    """Where nothing is measured, as in these tests: reading a transformed kernel takes longer."""
    assert [winograd.tile_side(256, 256, (1, n, n)) for n in (10, 20)] == [None, 4]


def test_images_that_tiles_go_far_beyond_take_pytorch_s_own():
    """Tiles of 4x4 cover 8x8 pixels of 6x6, and 12x12 of 10x10."""
    sides = [winograd.tile_side(256, 256, (64, n, n)) for n in (3, 4, 6, 10)]
    assert sides == [None, 4, None, 4]


@pytest.mark.parametrize("side", [2, 4])
@pytest.mark.parametrize("images", [(1, 3, 5), (2, 33, 31), (7, 9, 20), (1, 80, 64)])
def test_products_of_few_tiles_and_of_many(by, side, images):
    """Each in its order."""
    by(f"{side} packed")
    kernel = drawn(70, 3, 3, 67)
    transformed = tiles.prepared(kernel.permute(1, 2, 3, 0).numpy(), side)
    for shape in (images, (1, 4, 4), images):
        given = drawn(*shape, 67)
        expected = torch_gradient.plain(given.double(), kernel.double())
        found = transformed(given)
        assert found.is_contiguous()
        assert relative_difference(found.numpy(), expected.numpy()) < tolerances.WINOGRAD
        assert torch.equal(transformed(given, rectified=True), found.relu())
    orders = len(transformed._products)
    transformed(given)
    assert len(transformed._products) == orders


@pytest.mark.parametrize(
    ("count", "most", "at_once"), [(16, 12, 8), (20, 3, 3), (5, 0, 1), (7, 9, 7), (0, 9, 1)]
)
def test_parts_are_alike(count, most, at_once):
    assert tiles._alike(count, most) == at_once


def test_products_where_orders_are_not_told(monkeypatch):
    """PyTorch's own are taken then."""

    def unknown(*sizes):
        raise AttributeError

    torch_packed.multiplies.cache_clear()
    try:
        monkeypatch.setattr(torch_packed, "order_of_products", unknown)
        assert not torch_packed.multiplies()
    finally:
        torch_packed.multiplies.cache_clear()
