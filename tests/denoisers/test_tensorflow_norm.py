"""The norm of trainings on TensorFlow against the definition in float64."""

import keras
import numpy as np
import pytest

from tests.tolerances import GRADIENT

if keras.backend.backend() != "tensorflow":
    pytest.skip("a norm for TensorFlow", allow_module_level=True)

import tensorflow as tf
from tensorflow_derivatives import gradients, second_derivatives

from keras_gahr._backend import convolution
from keras_gahr._backend.convolution import plain, tensorflow_norm

EPSILON = 1e-5


def exact(x, gamma):
    """`plain.normalize` computes deviations in float32."""
    sd = tf.sqrt(tf.math.reduce_variance(x, (0, 1, 2)) + EPSILON)
    return x * (gamma / sd)


def ours(x, gamma):
    return tensorflow_norm.normalize(x, gamma, EPSILON)[0]


def drawn(*shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape, np.float32) + np.float32(0.5)
    return x, rng.standard_normal(shape[-1], np.float32)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("derivative", [gradients, second_derivatives])
@pytest.mark.parametrize("shape", [(2, 6, 4, 3), (1, 1, 7, 5), (3, 5, 1, 1), (3, 2, 5, 1030)])
def test_derivatives_are_those_of_the_definition(derivative, shape, traced):
    both = drawn(*shape)
    run = tf.function(derivative) if traced else derivative
    found = run(ours, *map(tf.constant, both))
    expected = derivative(exact, *(tf.constant(each, tf.float64) for each in both))
    for our, wide in zip(found, expected, strict=True):
        assert our.shape == wide.shape
        difference = tf.cast(our, tf.float64) - wide
        assert np.abs(difference).max() < GRADIENT * np.abs(wide).max()


def test_many_pixels_are_added_up_exactly():
    both = drawn(16, 80, 80, 2)
    found = gradients(ours, *map(tf.constant, both))
    expected = gradients(exact, *(tf.constant(each, tf.float64) for each in both))
    for our, wide in zip(found, expected, strict=True):
        assert np.abs(tf.cast(our, tf.float64) - wide).max() < GRADIENT * np.abs(wide).max()


def test_where_it_is_used(monkeypatch):
    """While a network learns, in float32; the deviations are a constant then, too."""
    used = []
    monkeypatch.setattr(
        tensorflow_norm, "normalize", lambda *given: used.append(1) or plain.normalize(*given)
    )
    x, gamma = map(tf.constant, drawn(2, 4, 4, 3))
    convolution.normalize(x, gamma, EPSILON)
    assert not used
    with convolution.learning():
        convolution.normalize(tf.cast(x, tf.bfloat16), gamma, EPSILON)
        assert not used
        convolution.normalize(x, gamma, EPSILON)
        assert used


def test_deviations_are_constants():
    x, gamma = map(tf.constant, drawn(2, 4, 4, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, sd = tensorflow_norm.normalize(x, gamma, EPSILON)
    assert tape.gradient(sd, x) is None
