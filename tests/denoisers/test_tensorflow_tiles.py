"""Convolutions by Winograd's algorithm in trainings on TensorFlow."""

import keras
import numpy as np
import pytest
import tolerances
from networks import relative_difference

pytestmark = pytest.mark.one_backend
if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow's convolutions", allow_module_level=True)

import tensorflow as tf  # noqa: E402
from tensorflow_derivatives import gradients, second_derivatives  # noqa: E402

from keras_gahr import BFCNN  # noqa: E402
from keras_gahr._backend.convolution import plain, tensorflow_tiles  # noqa: E402
from keras_gahr._backend.convolution.winograd import tensorflow as winograd  # noqa: E402
from keras_gahr.training import Adam, BlindTraining  # noqa: E402

KERNEL = (3, 3, 5, 4)


def drawn(*shape):
    return tf.constant(np.random.default_rng(len(shape)).standard_normal(shape, np.float32))


@pytest.fixture(params=[2, 4])
def side(request, monkeypatch):
    """That of all tiles."""
    monkeypatch.setattr(tensorflow_tiles, "_side", lambda *channels: request.param)
    return request.param


def tangents(convolve, images, kernel):
    with tf.autodiff.ForwardAccumulator([images, kernel], [images**2, kernel**2]) as accumulator:
        result = convolve(images, kernel)
    return [accumulator.jvp(result)]


@pytest.mark.parametrize("size", [(3, 9, 10), (1, 5, 7), (5, 1, 2)])
@pytest.mark.parametrize("derivative", [gradients, second_derivatives, tangents])
def test_derivatives_are_those_of_tensorflow(side, derivative, size):
    images, kernel = drawn(*size, 5), drawn(*KERNEL)
    expected = derivative(plain.convolve, images, kernel)
    for one, other in zip(
        derivative(tensorflow_tiles.convolve, images, kernel), expected, strict=True
    ):
        assert relative_difference(one.numpy(), other.numpy()) < tolerances.WINOGRAD


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}], ids=["graph", "xla"])
@pytest.mark.parametrize("derivative", [gradients, second_derivatives])
def test_batches_whose_size_is_not_known_when_they_are_traced(
    side, derivative, options, monkeypatch
):
    """In parts of two images, the last of which may be one of zeros."""
    rows, columns = -(-9 // side), -(-10 // side)
    monkeypatch.setattr(tensorflow_tiles, "_AT_ONCE", 2 * 4 * (side + 2) ** 2 * rows * columns * 5)
    signature = [tf.TensorSpec((None, 9, 10, 5)), tf.TensorSpec(KERNEL)]
    traced = tf.function(
        lambda images, kernel: derivative(tensorflow_tiles.convolve, images, kernel),
        input_signature=signature,
        **options,
    )
    for batch in (1, 4, 5):
        images, kernel = drawn(batch, 9, 10, 5), drawn(*KERNEL)
        expected = derivative(plain.convolve, images, kernel)
        for one, other in zip(traced(images, kernel), expected, strict=True):
            assert relative_difference(one.numpy(), other.numpy()) < tolerances.WINOGRAD


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
def test_a_gradient_in_parts(rows, side):
    """Several images, and rows of tiles, after the other; against one part."""
    images, gradient = drawn(5, 2 * side + 1, 2 * side, 2), drawn(5, 2 * side + 1, 2 * side, 3)
    whole = winograd.kernel_gradient(images, gradient, side, 2**24)
    parts = winograd.kernel_gradient(images, gradient, side, 4 * rows * (side + 2) ** 2 * 2 * 3)
    assert relative_difference(parts.numpy(), whole.numpy()) < tolerances.WINOGRAD


def test_where_tiles_help(monkeypatch):
    """While a kernel of 3x3 with many channels learns, in float32, but for few pixels."""

    def helps(images, kernel, dtype="float32"):
        return tensorflow_tiles.helps(tf.TensorSpec(images, dtype), tf.TensorSpec(kernel, dtype))

    assert not helps((1, 64, 64, 64), (3, 3, 64, 64))
    with tensorflow_tiles.learning():
        assert helps((1, 64, 64, 64), (3, 3, 64, 64))
        assert helps((None, 20, 20, 512), (3, 3, 512, 512))
        assert not helps((None, None, None, 64), (3, 3, 64, 64))
        assert not helps((1, 64, 64, 64), (3, 3, 64, 64), "bfloat16")
        assert not helps((1, 20, 20, 512), (3, 3, 512, 512))
        assert not helps((1, 64, 64, 64), (1, 1, 64, 64))
        assert not helps((1, 64, 64, 64), (3, 3, 64, 32))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_trainings_use_them_and_nothing_else_does(monkeypatch, jit_compile):
    used, convolve = [], tensorflow_tiles.convolve
    monkeypatch.setattr(
        tensorflow_tiles, "convolve", lambda *given: used.append(1) or convolve(*given)
    )
    monkeypatch.setattr(tensorflow_tiles, "tile_side", lambda *shapes: 4)
    denoiser = BFCNN(num_layers=3, num_kernels=4, seed=0)
    images = np.random.default_rng(0).random((6, 8, 8, 1), np.float32)
    denoiser.predict_on_batch(images)
    assert not used
    model = BlindTraining(denoiser)
    model.compile(Adam(), jit_compile=jit_compile)
    model.fit(images, batch_size=4, verbose=0)
    assert used
    used.clear()
    model.evaluate(images, verbose=0)
    assert not used
