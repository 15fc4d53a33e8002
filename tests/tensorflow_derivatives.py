"""Derivatives backwards, on TensorFlow, of functions of two tensors."""

import tensorflow as tf


def gradients(function, *both):
    """Those of the sum of the cubes of a result."""
    with tf.GradientTape() as tape:
        tape.watch(both)
        total = tf.reduce_sum(function(*both) ** 3)
    return tape.gradient(total, both)


def second_derivatives(function, *both):
    """The gradients of the sum of the squares of these."""
    with tf.GradientTape() as tape:
        tape.watch(both)
        total = sum(tf.reduce_sum(each**2) for each in gradients(function, *both))
    return tape.gradient(total, both)
