"""The Haar pyramid against PyWavelets, and what makes it a pyramid."""

import keras
import numpy as np
import pytest
import pywt
from keras import ops

from keras_gahr import InputError
from keras_gahr.denoisers.haar import (
    HaarAnalysis,
    HaarSynthesis,
    haar_analyze,
    haar_pyramid,
    haar_reconstruct,
    haar_synthesize,
)

numpy_of = ops.convert_to_numpy


def random_images(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scales", [1, 2, 3])
def test_bands_are_those_of_pywavelets(channels, scales):
    images = random_images(2, 24, 40, channels)
    low, details = haar_pyramid(images, scales)
    expected = pywt.wavedec2(images, "db1", level=scales, axes=(1, 2))
    np.testing.assert_allclose(numpy_of(low), expected[0] / 2**scales, atol=1e-6)
    for scale, triple in enumerate(reversed(expected[1:])):
        bands = np.concatenate(triple, axis=-1) / 2 ** (scale + 1)
        np.testing.assert_allclose(numpy_of(details[scale]), bands, atol=1e-6)


def test_the_low_band_is_the_mean_of_blocks():
    images = random_images(1, 8, 12, 2)
    low, _ = haar_pyramid(images, 2)
    blocks = images.reshape(1, 2, 4, 3, 4, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(numpy_of(low), blocks, atol=1e-6)


def test_reconstruction_is_the_inverse():
    images = random_images(2, 16, 24, 3)
    np.testing.assert_allclose(
        numpy_of(haar_reconstruct(*haar_pyramid(images, 3))), images, atol=1e-6
    )
    low, detail = random_images(2, 4, 6, 2), random_images(2, 4, 6, 6, seed=1) - 0.5
    again = haar_analyze(haar_synthesize(low, detail))
    for found, expected in zip(again, (low, detail), strict=True):
        np.testing.assert_allclose(numpy_of(found), expected, atol=1e-6)


def test_multiples_of_1_over_256_come_back_exactly():
    images = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 1)).astype(np.float32) / 256
    assert np.array_equal(numpy_of(haar_reconstruct(*haar_pyramid(images, 2))), images)


def test_it_is_linear():
    x, y = random_images(1, 8, 8, 1), random_images(1, 8, 8, 1, seed=1)
    sums = haar_analyze(3 * x - 2 * y)
    parts = zip(haar_analyze(x), haar_analyze(y), strict=True)
    for found, (of_x, of_y) in zip(sums, parts, strict=True):
        expected = 3 * numpy_of(of_x) - 2 * numpy_of(of_y)
        np.testing.assert_allclose(numpy_of(found), expected, atol=1e-5)


def test_its_adjoint_is_a_quarter_of_its_inverse():
    """The bands are halves of an orthonormal transform's: <A x, c> = <x, S c> / 4."""
    x = random_images(2, 8, 12, 3)
    low, detail = random_images(2, 4, 6, 3, seed=1), random_images(2, 4, 6, 9, seed=2)
    bands = [numpy_of(band) for band in haar_analyze(x)]
    left = np.sum(bands[0] * low) + np.sum(bands[1] * detail)
    right = np.sum(x * numpy_of(haar_synthesize(low, detail))) / 4
    assert left == pytest.approx(right, rel=1e-5)


def test_gradients_pass_through_it():
    """One step of gradient descent on |A x|^2, from which the gradient A^T A x = x / 4 is read."""
    start = random_images(1, 4, 6, 1)

    class Bands(keras.layers.Layer):
        def build(self, _):
            self.image = self.add_weight(shape=start.shape, initializer="zeros")

        def call(self, zero):
            low, detail = HaarAnalysis()(self.image + 0 * zero)
            return ops.concatenate([low, detail], axis=-1)

    bands = Bands()
    model = keras.Sequential([bands])
    model.build(start.shape)
    bands.image.assign(start)
    model.compile(
        keras.optimizers.SGD(1.0),
        loss=lambda _, found: ops.sum(ops.square(found)) / 2,
    )
    model.train_on_batch(np.zeros_like(start), np.zeros((1, 2, 3, 4), np.float32))
    np.testing.assert_allclose(numpy_of(bands.image.value), start * 3 / 4, atol=1e-6)


def test_layers_take_images_of_any_size():
    inputs = keras.Input((None, None, 2))
    low, detail = HaarAnalysis()(inputs)
    assert low.shape == (None, None, None, 2)
    assert detail.shape == (None, None, None, 6)
    outputs = HaarSynthesis()(low, detail)
    assert outputs.shape == (None, None, None, 2)
    model = keras.Model(inputs, outputs)
    for sides in ((4, 6), (10, 2)):
        images = random_images(2, *sides, 2)
        np.testing.assert_allclose(model.predict_on_batch(images), images, atol=1e-6)


@pytest.mark.parametrize("sides", [(5, 4), (4, 7)])
def test_odd_sides_are_refused(sides):
    with pytest.raises(InputError, match="even height and width"):
        haar_analyze(random_images(1, *sides, 1))
    with pytest.raises(InputError, match="even height and width"):
        haar_pyramid(random_images(1, 4, 6, 1), 2)
