"""Winograd's convolutions compute what the definition says, as exactly as the backends' own."""

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
from keras_gahr._backend.convolution import winograd
from keras_gahr._backend.convolution.winograd import algorithm
from keras_gahr.denoisers import Inference, with_precision

backend = importlib.import_module(f"{winograd.__name__}.{keras.backend.backend()}")

SIDES = sorted(algorithm.POINTS)


def convolved(images, kernel):
    """By the definition, in float64."""
    height, width = images.shape[1:3]
    padded = np.pad(images.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    return sum(
        padded[:, row : row + height, column : column + width] @ kernel[row, column]
        for row in range(3)
        for column in range(3)
    )


def by_winograd(images, kernel, side):
    def function(network, images, kernels):
        return winograd.convolve_tiles(images, kernels)

    run = _backend.compile_inference(BFCNN(num_layers=3, num_kernels=1, seed=0), function)
    return keras.ops.convert_to_numpy(run(images, winograd.transform_kernel(kernel, side)))


def drawn(shape, channels_in, channels_out):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(*shape, channels_in)).astype(np.float32)
    kernel = generator.normal(size=(3, 3, channels_in, channels_out)).astype(np.float32)
    return images, kernel


@pytest.fixture
def tiled(monkeypatch):
    """A function that makes all folded convolutions of 3x3 kernels compute tiles of one side."""
    return lambda side: monkeypatch.setattr(winograd, "tile_side", lambda *channels: side)


@pytest.mark.parametrize("side", SIDES)
def test_the_matrices_are_those_of_a_filter(side):
    generator = np.random.default_rng(0)
    pixels, kernel = (
        generator.normal(size=(side + 2, side + 2)),
        generator.normal(size=(3, 3, 1, 1)),
    )
    before, after = algorithm.input_transform(side), algorithm.output_transform(side)
    products = winograd.transform_kernel(kernel, side).reshape(pixels.shape)
    products = products * (before @ pixels @ before.T)
    expected = convolved(pixels[None, ..., None], kernel)[0, 1:-1, 1:-1, 0]
    assert relative_difference(after @ products @ after.T, expected) < 1e-6


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("shape", [(2, 8, 12), (1, 5, 7), (3, 1, 1), (1, 2, 9), (2, 9, 3)])
def test_images_of_any_size(shape, side):
    images, kernel = drawn(shape, 3, 2)
    found = by_winograd(images, kernel, side)
    assert relative_difference(found, convolved(images, kernel)) < tolerances.WINOGRAD


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7])
def test_parts_are_put_together(monkeypatch, rows, side):
    """So many rows of tiles at once: parts of images, whole ones, several, and what is left over."""
    images, kernel = drawn((5, 2 * side + 1, 2 * side), 2, 3)
    monkeypatch.setattr(backend, "_AT_ONCE", 4 * rows * (side + 2) ** 2 * 2 * 3)
    found = by_winograd(images, kernel, side)
    assert relative_difference(found, convolved(images, kernel)) < tolerances.WINOGRAD


def rounding(side):
    """The root mean square error of a convolution of 256 channels, of that of its result."""
    images, kernel = drawn((1, 12, 12), 256, 32)
    exact = convolved(images, kernel)
    found = by_winograd(images, kernel, side)
    return np.sqrt(np.mean((found - exact) ** 2) / np.mean(exact**2))


@pytest.mark.parametrize("side", SIDES)
def test_rounding_is_as_small_as_that_of_the_definition(side):
    assert rounding(side) < tolerances.WINOGRAD_ON_AVERAGE


def test_rounding_at_the_usual_points_is_not(monkeypatch):
    """Negative control."""
    monkeypatch.setitem(algorithm.POINTS, 4, (0, 1, -1, 2, -2))
    assert rounding(4) > tolerances.WINOGRAD_ON_AVERAGE


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    "name",
    [
        "bf_cnn_21_relu",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("unet_2block", "unet_3block_rgb")
        ),
    ],
)
def test_golden_networks(golden, tiled, name, side):
    tiled(side)
    denoiser, _ = from_checkpoint(golden / f"{name}.pt")
    arrays = np.load(golden / f"{name}.npz")
    found = Inference(denoiser).residual(nhwc(arrays["noisy"]))
    assert relative_difference(found, nhwc(arrays["eval_output"])) < tolerances.OUTPUT


def test_zeros_stay_zeros_and_an_image_alone_is_what_it_is_among_others(tiled):
    tiled(4)
    inference = Inference(with_unit_gammas(UNet(num_blocks=1, num_kernels=8, seed=0)))
    noisy = np.random.default_rng(0).random((5, 10, 6, 1), np.float32)
    noisy[2] = 0
    found = inference.residual(noisy)
    assert not found[2].any()
    assert relative_difference(inference.residual(noisy[3:4]), found[3:4]) < tolerances.OUTPUT


def test_repeated_calls_and_new_weights(tiled):
    """PyTorch exports what is called often."""
    tiled(4)
    denoiser = with_unit_gammas(BFCNN(num_layers=4, num_kernels=8, seed=0))
    noisy = np.random.default_rng(0).random((2, 9, 9, 1), np.float32)
    inference = Inference(denoiser)
    first = residual_of_many_calls(inference, noisy)
    denoiser.get_layer("norm_1").gamma.assign(np.linspace(-1, 2, 8))
    inference.refold()
    expected = denoiser.predict_on_batch(noisy)
    assert relative_difference(expected, first) > 0.1
    assert relative_difference(inference.residual(noisy), expected) < tolerances.OUTPUT


@pytest.fixture
def kinds(monkeypatch):
    """A function that counts the convolutions of a network that compute tiles, by their side."""
    sides, tile_side = [], winograd.tile_side

    def recorded(*arguments):
        sides.append(tile_side(*arguments))
        return sides[-1]

    monkeypatch.setattr(winograd, "tile_side", recorded)

    def count(denoiser):
        sides.clear()
        Inference(denoiser).residual(np.zeros((1, 20, 20, 1), np.float32))
        return {side: sides.count(side) for side in SIDES}

    return count


def test_what_computes_tiles(kinds):
    assert kinds(UNet(num_blocks=1, num_kernels=8, seed=0)) == {2: 0, 4: 0}
    wide = BFCNN(num_layers=4, num_kernels=128, seed=0)
    assert kinds(wide) == {2: 0, 4: 2}
    assert kinds(with_precision(wide, "mixed_bfloat16")) == {2: 0, 4: 0}
    assert algorithm.fastest_side(512, 256, least=1) == 4
    assert algorithm.fastest_side(256, 512, least=1) == 2
    assert algorithm.fastest_side(8, 8, least=65) is None
