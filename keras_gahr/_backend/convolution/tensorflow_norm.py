"""The bias-free norm on TensorFlow with few passes over memory in its gradient.

Derived operation by operation that is a half slower: deviations, their gradients and the sums of these are
written out one after the other.
"""

import tensorflow as tf


def normalize(x, gamma, epsilon):
    """See `keras_gahr._backend.convolution`; float32, of derivatives backwards only, any number of times."""

    @tf.custom_gradient
    def normalized(x, gamma):
        mean, variance, sd = _moments(x, epsilon)

        @tf.custom_gradient
        def gradients(upstream, x, gamma):
            # Two factors are in one operation those of a batch norm whose moments are known, 0 and the
            # variance: upstream gamma / sd, and the sum of upstream x / sd over all pixels.
            scaled, in_gamma, *_ = tf.raw_ops.FusedBatchNormGradV3(
                y_backprop=upstream,
                x=x,
                scale=gamma,
                reserve_space_1=tf.zeros_like(mean),
                reserve_space_2=variance,
                reserve_space_3=[],
                epsilon=epsilon,
                is_training=False,
            )
            in_x = _in_images(scaled, in_gamma, x, gamma, mean, sd)

            def again(*upstreams):
                given = upstream, x, gamma
                with tf.GradientTape() as tape:
                    tape.watch(given)
                    found = _gradients(*given, epsilon)
                return tape.gradient(found, given, upstreams)

            return (in_x, in_gamma), again

        return (x * (gamma / sd), sd), lambda upstream, _: gradients(upstream, x, gamma)

    result, sd = normalized(x, gamma)
    return result, tf.stop_gradient(sd)


def _gradients(upstream, x, gamma, epsilon):
    """Operation by operation."""
    mean, _, sd = _moments(x, epsilon)
    in_gamma = tf.reduce_sum(upstream * x, (0, 1, 2)) / sd
    return _in_images(upstream * (gamma / sd), in_gamma, x, gamma, mean, sd), in_gamma


def _in_images(scaled, in_gamma, x, gamma, mean, sd):
    """x counts twice: what is scaled, and in the standard deviation of all pixels."""
    pixels = tf.cast(tf.size(x, tf.int64) / tf.size(gamma, tf.int64), x.dtype)
    factor = gamma * in_gamma / (tf.square(sd) * pixels)
    return scaled + (factor * mean - x * factor)


def _moments(x, epsilon):
    """Mean, variance and standard deviation of each channel."""
    mean, variance = tf.nn.moments(x, (0, 1, 2))
    return mean, variance, tf.sqrt(variance + epsilon)
