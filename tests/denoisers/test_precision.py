"""Denoisers that compute in bfloat16."""

import logging

import keras
import numpy as np
import pytest
import tolerances
from keras import ops
from networks import with_unit_gammas

from keras_gahr import BFCNN, DilatedUNet, InputError, UNet, _backend, load_denoiser, save_denoiser
from keras_gahr._backend import convolution, processor
from keras_gahr.analysis import Linearizer
from keras_gahr.denoisers import (
    DirectDenoiser,
    Inference,
    precision,
    with_precision,
)
from keras_gahr.denoisers.properties import normalizations
from keras_gahr.training import Adam, BlindTraining


@pytest.fixture(scope="module")
def denoiser():
    return with_unit_gammas(BFCNN(num_layers=4, num_kernels=8, seed=0))


def trained(denoiser, images, steps=10):
    """The losses of a few steps with the same noise."""
    noise = np.random.default_rng(1).standard_normal((steps, *images.shape)).astype(np.float32)
    model = BlindTraining(denoiser)
    model.compile(Adam(1e-3), jit_compile=_backend.jit_compile())
    losses = []
    for step in noise:
        model.reset_metrics()
        logs = model.train_on_batch({"clean": images, "noise": 0.2 * step}, return_dict=True)
        losses.append(float(logs["loss"]))
    return np.array(losses)


def test_training_in_bfloat16_follows_float32(denoiser, smooth_images):
    images = smooth_images(8, 16, 16)
    mixed = with_precision(denoiser, "mixed_bfloat16")
    assert {layer.compute_dtype for layer in mixed.layers if layer.weights} == {"bfloat16"}
    expected = trained(with_precision(denoiser), images)
    losses = trained(mixed, images)
    assert expected[-1] < 0.9 * expected[0]
    assert losses == pytest.approx(expected, rel=tolerances.BFLOAT16_LOSS)
    assert not np.array_equal(losses, expected)
    for norm in normalizations(mixed):
        assert norm.running_sd.dtype == norm.gamma.dtype == "float32"
        values = ops.convert_to_numpy(norm.running_sd.value)
        # With the 8 bits of bfloat16 the lower half of each float32 would be zero.
        assert np.any(values.view(np.uint32) & 0xFFFF)


@pytest.mark.parametrize("around", [lambda network: network, DirectDenoiser])
def test_a_fingerprint_tells_the_number_type(denoiser, around):
    one, mixed = (with_precision(around(denoiser), name) for name in ("float32", "mixed_bfloat16"))
    assert one.fingerprint() == around(denoiser).fingerprint() != mixed.fingerprint()


def test_a_copy_is_saved_and_loaded_in_float32(tmp_path, denoiser, smooth_images):
    images = smooth_images(2, 8, 8)
    save_denoiser(with_precision(denoiser, "mixed_bfloat16"), tmp_path / "x.keras")
    loaded = load_denoiser(tmp_path / "x.keras")
    assert all(layer.compute_dtype == "float32" for layer in loaded.layers)
    assert np.array_equal(loaded.predict_on_batch(images), denoiser.predict_on_batch(images))
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize(
    "make",
    [
        lambda: DilatedUNet(num_kernels=4, seed=0),
        lambda: DirectDenoiser(with_unit_gammas(BFCNN(num_layers=3, num_kernels=4, seed=0))),
    ],
)
def test_the_residual_is_a_difference_in_float32(make, smooth_images):
    """The noise must not be lost in the 8 bits that bfloat16 has for an image."""
    denoiser, images = make(), smooth_images(1, 8, 8)
    mixed = with_precision(denoiser, "mixed_bfloat16")
    found = mixed.predict_on_batch(images)
    assert found.dtype == np.float32
    # The network's own output is in bfloat16; the image is not.
    shown = (images - found).view(np.uint32) & 0xFFFF
    assert np.mean(shown == 0) < 1
    assert np.any(np.asarray(found).view(np.uint32) & 0xFFFF)


def test_other_precisions_are_refused(denoiser):
    with pytest.raises(InputError, match="float16"):
        with_precision(denoiser, "float16")


NETWORKS = {
    # Of 3x3 and 2x2 transposed convolutions.
    "unet": lambda: UNet(num_kernels=4, num_blocks=1, seed=0),
    # Of 5x5, strided, dilated and 4x4 transposed ones.
    "dilated": lambda: DilatedUNet(num_kernels=4, seed=0),
    # Of three channels out.
    "bf-cnn": lambda: BFCNN(num_channels=3, num_layers=4, num_kernels=8, seed=0),
}


def networks(*alike):
    """Names; those that are alike have the layers of another one, which is enough for one backend."""
    return [
        pytest.param(name, marks=pytest.mark.one_backend) if name in alike else name
        for name in NETWORKS
    ]


@pytest.mark.parametrize("name", networks("bf-cnn"))
def test_all_networks_compute_in_bfloat16(name, smooth_images):
    """Outputs, and products with the Jacobian and its transpose."""
    denoiser = with_unit_gammas(NETWORKS[name]())
    images = smooth_images(1, 8, 8, denoiser.num_channels)
    direction = np.random.default_rng(2).standard_normal(images.shape).astype(np.float32)
    found = {}
    for number in precision.PRECISIONS:
        copy = with_precision(denoiser, number)
        at = ops.convert_to_tensor(images), ops.convert_to_tensor(direction)
        products = _backend.compile_jvp(copy, lambda network, x: ops.cast(network(x), "float32"))
        pull_back = _backend.compile_vjp(copy, lambda network, x: ops.cast(network(x), "float32"))
        found[number] = [
            Inference(copy).residual(images),
            ops.convert_to_numpy(ops.stop_gradient(products(at[0])(at[1]))),
            ops.convert_to_numpy(ops.stop_gradient(pull_back(at[0])(at[1]))),
        ]
    for exact, narrow in zip(*found.values(), strict=True):
        difference = np.linalg.norm(narrow - exact) / np.linalg.norm(exact)
        assert 0 < difference < tolerances.BFLOAT16_DERIVATIVE


@pytest.mark.parametrize("name", networks("bf-cnn", "dilated"))
def test_all_networks_are_linearized_in_bfloat16(name, smooth_images):
    """With float32 in and out; by frozen gates, and by derivatives of what has other layers."""
    denoiser = with_unit_gammas(NETWORKS[name]())
    image = smooth_images(1, 8, 8, denoiser.num_channels)[0]
    directions = np.random.default_rng(2).standard_normal((2, *image.shape)).astype(np.float32)
    found = []
    for number in precision.PRECISIONS:
        jacobian = Linearizer(with_precision(denoiser, number)).at(image)
        found.append([jacobian.apply(directions), jacobian.apply_transposed(directions)])
    for exact, narrow in zip(*found, strict=True):
        # J v = v - (what the network makes of v), of which that is rounded.
        difference = np.linalg.norm(narrow - exact) / np.linalg.norm(directions - exact)
        assert narrow.dtype == np.float32
        assert 0 < difference < tolerances.BFLOAT16_DERIVATIVE


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_all_networks_learn_in_bfloat16(name, smooth_images):
    denoiser = with_unit_gammas(NETWORKS[name]())
    images = smooth_images(1, 8, 8, denoiser.num_channels)
    expected, losses = (trained(with_precision(denoiser, p), images) for p in precision.PRECISIONS)
    assert losses == pytest.approx(expected, rel=tolerances.BFLOAT16_LOSS)


# Images, side of the kernel, channels in and out, side of the images.
SHAPES = [
    (1, 3, 2, 1, 6),
    (2, 3, 2, 1, 6),
    (1, 5, 2, 1, 1),
    (2, 1, 2, 1, 6),
    (1, 3, 1, 2, 6),
    (1, 1, 1, 1, 1),
]


@pytest.mark.parametrize("number", ["float32", "bfloat16"])
def test_kernels_of_any_shape_and_layout_have_gradients(number):
    """Also single images, and kernels with one channel, whose place in memory means nothing."""
    model = BFCNN(num_layers=3, num_kernels=1, seed=0)
    rng = np.random.default_rng(0)
    for batch, side, channels, out, pixels in SHAPES:
        images = rng.standard_normal((batch, pixels, pixels, channels)).astype(np.float32)
        kernel = rng.standard_normal((side, side, channels, out)).astype(np.float32)
        convolved, gradient = derivative_in_kernel(model, images, kernel, number)
        shape = f"{images.shape} {kernel.shape}"
        expected = by_definition(images, kernel)
        bound = tolerances.BFLOAT16_OUTPUT if number == "bfloat16" else tolerances.GRADIENT
        assert np.abs(convolved - expected).max() < bound * np.abs(expected).max(), shape
        # Linear in the kernel: the gradient of |y|^2 / 2 times the kernel is |y|^2.
        assert np.sum(gradient * kernel) == pytest.approx(np.sum(convolved**2), rel=bound), shape


def derivative_in_kernel(model, images, kernel, number):
    """A convolution, and the gradient of half the sum of its squares."""

    def function(network, kernel):
        wide = ops.transpose(kernel, convolution.KERNEL_AXES)
        convolved = convolution.convolve(ops.cast(images, number), ops.cast(wide, number))
        return ops.cast(convolved, "float32")

    kernel = ops.convert_to_tensor(kernel)
    convolved = ops.stop_gradient(function(None, kernel))
    gradient = _backend.compile_vjp(model, function)(kernel)(convolved)
    return ops.convert_to_numpy(convolved), ops.convert_to_numpy(gradient)


def by_definition(images, kernel):
    """A convolution in float64."""
    side = len(kernel)
    height, width = images.shape[1:3]
    padded = np.pad(images.astype(np.float64), ((0, 0), *[(side // 2,) * 2] * 2, (0, 0)))
    return sum(
        padded[:, row : row + height, column : column + width] @ kernel[row, column]
        for row in range(side)
        for column in range(side)
    )


CPU_INFO = {
    "flags\t: fpu avx2 avx512_bf16\n": True,
    "processor\t: 0\nflags\t\t: fpu avx2 fma\n": False,
    "Features\t: fp asimd bf16\n": True,
    "Features\t: fp asimd\n": False,
    "nothing known": None,
}


@pytest.mark.parametrize(("text", "expected"), CPU_INFO.items())
def test_whether_a_processor_has_bfloat16(text, expected, monkeypatch, tmp_path):
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "_CPU_INFO", tmp_path / "cpuinfo")
    assert processor.has_bfloat16() is expected
    monkeypatch.setattr(processor, "_CPU_INFO", tmp_path / "missing")
    assert processor.has_bfloat16() is None


@pytest.mark.parametrize("has", [True, False, None])
def test_a_processor_without_bfloat16_is_told_of_once(has, denoiser, monkeypatch, caplog):
    monkeypatch.setattr(precision, "has_bfloat16", lambda: has)
    monkeypatch.setattr(_backend, "devices", lambda: ["cpu"])
    precision._say_if_slow.cache_clear()
    with caplog.at_level(logging.WARNING, "keras_gahr"):
        with_precision(denoiser)
        assert not caplog.messages
        for _ in range(2):
            with_precision(denoiser, "mixed_bfloat16")
    assert len(caplog.messages) == (has is False)
    assert all("\n" not in message and "float32" in message for message in caplog.messages)
