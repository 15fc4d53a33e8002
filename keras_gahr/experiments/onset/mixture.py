"""A mixture of two Gaussians, and a small network trained on it by a plain Keras loop.

The toy of Bonnaire et al. (2025, arXiv 2505.17638): d = 8, a residual MLP of width 128 that is told the
noise level, Adam with rate 6e-4, batches of min(512, N). Nothing of the loop is this package's but the
clock, which looks at the network as it would in anybody's loop.
"""

import dataclasses
import itertools

import keras
import numpy as np
from keras import layers, ops

from keras_gahr import _backend
from keras_gahr.denoisers import wrap
from keras_gahr.errors import InputError
from keras_gahr.training.clock import MemorizationClock

from ..networks import check_set_sizes
from .curve import Curve
from .length import steps_of

DIMENSION = 8
MEAN = 1.0
"""Of each coordinate in one half of the mixture; its negative in the other. The variance is 1."""

VALUE_RANGE = (-4.0, 4.0)
"""What black and white stand for, so that points are images of the clock."""

SIGMAS = (0.08, 8.0)
"""The lowest and the highest noise level that is trained on, in units of the points."""

_RATE = 6e-4
_TEST_POINTS = 512
_STEPS_DRAWN = 256
"""Batches whose noise is drawn at a time."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixtureSettings:
    """Settings of the trainings on the mixture.

    Args:
        mixture_sizes: numbers of training points N, ascending.
        runs: of each N, with points and weights of their own.
        mixture_steps: of the largest N; smaller ones have fewer, see `steps_of`.
        mixture_batch: points of a step, or N if that is smaller.
        mixture_looks: in a factor of ten of the steps.
        mixture_samples: of each look.
        width: of the network.
    """

    mixture_sizes: tuple[int, ...] = (16, 32, 64, 128, 256, 512, 1024)
    runs: int = 5
    mixture_steps: int = 60_000
    mixture_batch: int = 512
    mixture_looks: float = 12.0
    mixture_samples: int = 500
    width: int = 128

    def length(self, count):
        """The steps of a run on so many points."""
        return steps_of(count, self.mixture_sizes, self.mixture_steps)

    def check(self):
        """Raises `InputError` for what cannot be run."""
        check_set_sizes(self.mixture_sizes)
        numbers = {
            "runs": self.runs,
            "mixture_steps": self.mixture_steps,
            "mixture_batch": self.mixture_batch,
            "width": self.width,
        }
        for name, number in numbers.items():
            if number < 1:
                raise InputError(f"received {name} = {number}, expected 1 or more")


def draw_points(count, generator):
    """Points of the mixture, float32 (count, `DIMENSION`)."""
    sides = generator.choice([-MEAN, MEAN], (count, 1))
    return (sides + generator.standard_normal((count, DIMENSION))).astype(np.float32)


class ResidualMLP(layers.Layer):
    """The noise in points, divided by its level, from the points and the level.

    One layer with all weights, since a step of so small a network is spent on calling layers. It takes
    points as images (batch, 8, 1, 1) and levels (batch,).

    Args:
        width: of all hidden layers.
        blocks: x + W relu(V relu(x)), as many.
        seed: of the initial weights.
    """

    def __init__(self, width=128, blocks=2, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.width, self.blocks, self.seed = width, blocks, seed

    def build(self, images_shape, levels_shape):
        sides = [DIMENSION + 1, *[self.width] * (2 * self.blocks + 1), DIMENSION]
        seeds = keras.random.SeedGenerator(self.seed)
        initial = keras.initializers.VarianceScaling(2.0, seed=seeds)
        self._matrices, self._biases = (
            [
                self.add_weight(shape, initializer=how, name=f"{name}_{place}")
                for place, shape in enumerate(shapes)
            ]
            for name, how, shapes in (
                ("matrix", initial, itertools.pairwise(sides)),
                ("bias", "zeros", [(side,) for side in sides[1:]]),
            )
        )

    def call(self, images, levels):
        points, levels = ops.reshape(images, (-1, DIMENSION)), levels[:, None]
        # Of variance 1, whatever the level.
        scaled = points / ops.sqrt(1 + MEAN**2 + levels**2)
        x = self._affine(0, ops.concatenate([scaled, ops.log(levels) / 4], axis=1))
        for block in range(self.blocks):
            inner = self._affine(2 * block + 1, ops.relu(x))
            x = x + self._affine(2 * block + 2, ops.relu(inner))
        return ops.reshape(self._affine(2 * self.blocks + 1, ops.relu(x)), (-1, DIMENSION, 1, 1))

    def _affine(self, place, x):
        return ops.matmul(x, self._matrices[place]) + self._biases[place]

    def compute_output_shape(self, images_shape, levels_shape):
        return images_shape


def build_network(width, seed):
    """A functional Keras model of images (8, 1, 1) and noise levels (), compiled for stock training."""
    images, levels = keras.Input((DIMENSION, 1, 1)), keras.Input(())
    model = keras.Model([images, levels], ResidualMLP(width, seed=seed)(images, levels))
    model.compile(keras.optimizers.Adam(_RATE), loss="mse", jit_compile=_backend.jit_compile())
    return model


def train_on_mixture(count, seed, settings):
    """Trains a network on some points of the mixture, with the clock at its side.

    Args:
        count: of training points, N.
        seed: of points, weights and noise.
        settings: `MixtureSettings`.

    Returns:
        A `Curve`.
    """
    generator = np.random.default_rng([seed, count])
    train, test = draw_points(count, generator), draw_points(_TEST_POINTS, generator)
    model = build_network(settings.width, seed)
    denoiser = wrap(model, "noise", "sigma", value_range=VALUE_RANGE)
    clock = MemorizationClock(
        *map(_as_images, (train, test)),
        samples=settings.mixture_samples,
        looks_per_decade=settings.mixture_looks,
        seed=seed,
        batch_size=settings.mixture_samples,
    )
    batch_size = min(settings.mixture_batch, count)
    last = settings.length(count)
    batches = _batches(train, batch_size, generator)
    for step in range(1, last + 1):
        noisy, levels, noise = next(batches)
        model.train_on_batch([noisy, levels], noise)
        if clock.due(step) or step == last:
            clock.look(step, denoiser)
    return Curve(count, tuple(clock.looks))


def _as_images(points):
    low, high = VALUE_RANGE
    return ((points - low) / (high - low))[:, :, None, None]


def _batches(points, batch_size, generator):
    """Without end: noisy points as images, their levels, even in the logarithm, and the unit noise."""
    low, high = np.log(SIGMAS)
    order = np.empty(0, np.intp)
    while True:
        while len(order) < _STEPS_DRAWN * batch_size:
            order = np.append(order, generator.permutation(len(points)))
        taken, order = np.split(order, [_STEPS_DRAWN * batch_size])
        clean = points[taken].reshape(_STEPS_DRAWN, batch_size, DIMENSION, 1, 1)
        levels = np.exp(generator.uniform(low, high, clean.shape[:2])).astype(np.float32)
        noise = generator.standard_normal(clean.shape, np.float32)
        yield from zip(clean + levels[..., None, None, None] * noise, levels, noise, strict=True)
