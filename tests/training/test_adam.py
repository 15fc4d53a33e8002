"""A step of Adam, by one pass of the backend and operation by operation, against Algorithm 1 in float64."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_gahr import _backend
from keras_gahr.training import Adam

SHAPE = 3, 4, 5
BETAS = 0.9, 0.999
RATE = 1e-2
EPSILON = 1e-3
"""Large enough to be seen, and so is where it is added."""

ROUNDING = 1e-6
"""Of weights of about 1 after a few steps in float32."""


def gradients_of_steps(count=4):
    rng = np.random.default_rng(0)
    return [1e-3 * rng.standard_normal(SHAPE).astype(np.float32) for _ in range(count)]


def exact(weights, gradients):
    weights = weights.astype(np.float64)
    first, second = np.zeros(SHAPE), np.zeros(SHAPE)
    for step, gradient in enumerate(gradients, 1):
        first = BETAS[0] * first + (1 - BETAS[0]) * gradient
        second = BETAS[1] * second + (1 - BETAS[1]) * gradient.astype(np.float64) ** 2
        root = np.sqrt(second / (1 - BETAS[1] ** step)) + EPSILON
        weights = weights - RATE * first / (1 - BETAS[0] ** step) / root
    return weights


def after(gradients, weights, lie=lambda gradient: gradient):
    variable = keras.Variable(weights)
    optimizer = Adam(RATE, epsilon=EPSILON)
    for gradient in gradients:
        optimizer.apply([lie(ops.convert_to_tensor(gradient))], [variable])
    assert int(optimizer.iterations) == len(gradients)
    return ops.convert_to_numpy(variable)


@pytest.fixture
def weights():
    return np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)


@pytest.fixture
def done(monkeypatch):
    """What the backend said of each step."""
    said, step = [], _backend.adam_step
    monkeypatch.setattr(
        _backend,
        "adam_step",
        lambda *tensors, **rest: said.append(step(*tensors, **rest)) or said[-1],
    )
    return said


def test_in_one_pass(weights, done):
    found = after(gradients_of_steps(), weights)
    assert np.abs(found - exact(weights, gradients_of_steps())).max() < ROUNDING
    assert set(done) == {keras.backend.backend() != "jax"}


def test_operation_by_operation(weights, monkeypatch):
    monkeypatch.setattr(_backend, "adam_step", lambda *tensors, **settings: False)
    found = after(gradients_of_steps(), weights)
    assert np.abs(found - exact(weights, gradients_of_steps())).max() < ROUNDING


def test_gradients_that_lie_otherwise_in_memory(weights, done):
    """Such as those of a kernel whose axes are permuted on the way to a convolution."""

    def lie(gradient):
        return ops.transpose(ops.transpose(gradient, (2, 1, 0)) + 0, (2, 1, 0))

    found = after(gradients_of_steps(), weights, lie)
    assert np.abs(found - exact(weights, gradients_of_steps())).max() < ROUNDING
    assert len(done) == 4


def test_weights_decay_and_means_are_kept(weights):
    """What Keras does around the step."""
    options = {"weight_decay": 0.1, "use_ema": True, "ema_momentum": 0.5}
    plain = keras.optimizers.Adam(RATE, epsilon=0.0, **options)
    variables = [keras.Variable(weights) for _ in range(2)]
    ours = Adam(RATE, epsilon=0.0, **options)
    for gradient in gradients_of_steps():
        for optimizer, variable in zip((ours, plain), variables, strict=True):
            optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
    for optimizer, variable in zip((ours, plain), variables, strict=True):
        optimizer.finalize_variable_values([variable])
    found, expected = map(ops.convert_to_numpy, variables)
    assert np.abs(found - expected).max() < ROUNDING


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has such gradients"
)
def test_gradients_of_some_rows_are_left_to_keras(done):
    """As of an embedding, of which a step takes a few rows."""
    import tensorflow as tf

    variable = keras.Variable(np.ones((3, 2), np.float32))
    gradient = tf.IndexedSlices(tf.ones((1, 2)), tf.constant([1]), tf.constant([3, 2]))
    Adam(RATE).apply([gradient], [variable])
    assert done == [False]
    found = ops.convert_to_numpy(variable)
    assert found[1] == pytest.approx(1 - RATE, abs=ROUNDING)
    assert (found[[0, 2]] == 1).all()


def test_half_precision_is_left_to_keras(done):
    variable = keras.Variable(np.ones(SHAPE, np.float32))
    optimizer = Adam(RATE)
    gradient = ops.cast(ops.ones(SHAPE), "float16")
    optimizer.apply([gradient], [variable])
    assert done == [False]
    assert ops.convert_to_numpy(variable) == pytest.approx(1 - RATE, abs=ROUNDING)
