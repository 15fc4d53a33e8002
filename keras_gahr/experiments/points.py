"""Points as small images, and a small network trained on them by a plain Keras loop.

The network of Bonnaire et al. (2025, arXiv 2505.17638): a residual MLP of width 128 that is told the noise
level, Adam with rate 6e-4. Nothing of the loop is this package's: a trained network is wrapped, as anybody's.
"""

import itertools

import keras
import numpy as np
from keras import layers, ops

from keras_gahr import _backend

RATE = 6e-4

_STEPS_DRAWN = 256
"""Batches whose noise is drawn at a time."""


class ResidualMLP(layers.Layer):
    """What a network finds in noisy points that is told their level: the noise, or as EDM has it.

    One layer with all weights, since a step of so small a network is spent on calling layers. It takes
    points as images (batch, H, W, C) and levels (batch,).

    Args:
        width: of all hidden layers.
        variance: of a value of the points without noise; None for a network within EDM's preconditioning,
            which is given noisy points of variance 1 and a quarter of the logarithm of the level.
        blocks: x + W f(V f(x)), as many.
        activation: f, of Keras.
        starts_at_zero: whether the last weights do.
        seed: of the initial weights.
    """

    def __init__(
        self,
        width=128,
        variance=None,
        blocks=2,
        activation="relu",
        starts_at_zero=False,
        seed=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.width, self.variance, self.blocks, self.seed = width, variance, blocks, seed
        self.activation = keras.activations.get(activation)
        self.starts_at_zero = starts_at_zero

    def build(self, images_shape, levels_shape):
        self._shape = images_shape[1:]
        self._size = int(np.prod(self._shape))
        sides = [self._size + 1, *[self.width] * (2 * self.blocks + 1), self._size]
        seeds = keras.random.SeedGenerator(self.seed)
        initial = keras.initializers.VarianceScaling(2.0, seed=seeds)
        last = "zeros" if self.starts_at_zero else initial
        hows = [initial] * (len(sides) - 2) + [last]
        self._matrices, self._biases = (
            [
                self.add_weight(shape, initializer=how, name=f"{name}_{place}")
                for place, (shape, how) in enumerate(zip(shapes, hows, strict=True))
            ]
            for name, hows, shapes in (
                ("matrix", hows, itertools.pairwise(sides)),
                ("bias", ["zeros"] * len(hows), [(side,) for side in sides[1:]]),
            )
        )

    def call(self, images, levels):
        points, levels = ops.reshape(images, (-1, self._size)), levels[:, None]
        if self.variance is not None:
            # Of variance 1, whatever the level.
            points, levels = points / ops.sqrt(self.variance + levels**2), ops.log(levels) / 4
        x = self._affine(0, ops.concatenate([points, levels], axis=1))
        for block in range(self.blocks):
            inner = self._affine(2 * block + 1, self.activation(x))
            x = x + self._affine(2 * block + 2, self.activation(inner))
        found = self._affine(2 * self.blocks + 1, self.activation(x))
        return ops.reshape(found, (-1, *self._shape))

    def _affine(self, place, x):
        return ops.matmul(x, self._matrices[place]) + self._biases[place]

    def compute_output_shape(self, images_shape, levels_shape):
        return images_shape


def build_network(shape, rate=RATE, **options):
    """A functional Keras model of images and noise levels (), compiled for stock training.

    Args:
        shape: of the images, (height, width, channels).
        rate: of Adam, a number or a schedule of Keras.
        **options: of the `ResidualMLP`.
    """
    images, levels = keras.Input(shape), keras.Input(())
    model = keras.Model([images, levels], ResidualMLP(**options)(images, levels))
    model.compile(keras.optimizers.Adam(rate), loss="mse", jit_compile=_backend.jit_compile())
    return model


def noisy_batches(points, batch_size, sigmas, generator):
    """Without end: noisy points, their levels, even in the logarithm, and the unit noise.

    Args:
        points: float32 (N, H, W, C). Each is taken once before any is taken again.
        batch_size: points of a batch; may be more than N.
        sigmas: the lowest and the highest level, in units of the points.
        generator: of NumPy.
    """
    low, high = np.log(sigmas)
    number = _STEPS_DRAWN * batch_size
    order = np.empty(0, np.intp)
    while True:
        passes = range(-(-(number - len(order)) // len(points)))
        order = np.concatenate([order, *[generator.permutation(len(points)) for _ in passes]])
        taken, order = np.split(order, [number])
        clean = points[taken].reshape(_STEPS_DRAWN, batch_size, *points.shape[1:])
        levels = np.exp(generator.uniform(low, high, clean.shape[:2])).astype(np.float32)
        noise = generator.standard_normal(clean.shape, np.float32)
        yield from zip(clean + levels[..., None, None, None] * noise, levels, noise, strict=True)


def train_on(model, batches, steps):
    """Trains a `build_network` on the next of some `noisy_batches`, a step on each.

    Args:
        model: the network.
        batches: an iterator of `noisy_batches`.
        steps: how many.
    """
    while steps > 0:
        some = list(itertools.islice(batches, min(steps, _STEPS_DRAWN)))
        noisy, levels, noise = map(np.concatenate, zip(*some, strict=True))
        # Calls for single steps would take several times as long.
        model.fit(
            [noisy, levels], noise, batch_size=len(some[0][0]), shuffle=False, verbose=0, epochs=1
        )
        steps -= len(some)
