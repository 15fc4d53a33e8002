"""Initial weights, equal on every backend for equal seeds.

Keras' own initializers draw from the backend's generator, so that one seed would start three different
networks on three backends. These draw from NumPy, keyed by (seed, layer name).
"""

import random
import zlib

import keras
import numpy as np

from keras_gahr.noise import check_whole


def fresh_seed():
    """A seed from Python's generator, which `keras.utils.set_random_seed` controls."""
    return random.getrandbits(32)


def checked_seed(seed):
    """The seed as a number of Python, by default a fresh one; raises `InputError` for something else."""
    return fresh_seed() if seed is None else check_whole(seed, "seed", 0)


def _generator(seed, layer):
    return np.random.default_rng([seed, zlib.crc32(layer.encode())])


@keras.saving.register_keras_serializable("keras_gahr")
class HeNormal(keras.initializers.Initializer):
    """Normal weights of variance 2 / fan-in, not truncated (PyTorch's `kaiming_normal_`).

    Fan-in is the product of all axes of the kernel but the last. For a transposed convolution, whose
    kernel is (height, width, outputs, inputs), this counts the outputs, as PyTorch does.
    """

    def __init__(self, seed, layer):
        self.seed = seed
        self.layer = layer

    def __call__(self, shape, dtype=None):
        draws = _generator(self.seed, self.layer).standard_normal(shape)
        scale = np.sqrt(2 / np.prod(shape[:-1]))
        return keras.ops.convert_to_tensor(scale * draws, dtype=dtype)

    def get_config(self):
        return {"seed": self.seed, "layer": self.layer}


@keras.saving.register_keras_serializable("keras_gahr")
class SmallGamma(keras.initializers.Initializer):
    """Scales of both signs for `BiasFreeNorm`: N(0, 1) * 2 / (9 * 64), clipped to +-0.025.

    The constants are the published code's and do not follow the number of kernels.
    """

    def __init__(self, seed, layer):
        self.seed = seed
        self.layer = layer

    def __call__(self, shape, dtype=None):
        draws = _generator(self.seed, self.layer).standard_normal(shape) * 2 / (9 * 64)
        return keras.ops.convert_to_tensor(np.clip(draws, -0.025, 0.025), dtype=dtype)

    def get_config(self):
        return {"seed": self.seed, "layer": self.layer}
