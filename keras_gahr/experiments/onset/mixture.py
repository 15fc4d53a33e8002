"""A mixture of two Gaussians, and a small network trained on it by a plain Keras loop.

The toy of Bonnaire et al. (2025, arXiv 2505.17638): d = 8, a residual MLP of width 128 that is told the
noise level, Adam with rate 6e-4, batches of min(512, N). Nothing of the loop is this package's but the
clock, which looks at the network as it would in anybody's loop.
"""

import dataclasses

import numpy as np

from keras_gahr.denoisers import wrap
from keras_gahr.training.clock import MemorizationClock

from ..networks import check_least, check_set_sizes
from ..points import build_network, noisy_batches, train_on
from .curve import Curve
from .length import steps_of

DIMENSION = 8
SHAPE = (DIMENSION, 1, 1)
MEAN = 1.0
"""Of each coordinate in one half of the mixture; its negative in the other. The variance is 1."""

VALUE_RANGE = (-4.0, 4.0)
"""What black and white stand for, so that points are images of the clock."""

SIGMAS = (0.08, 8.0)
"""The lowest and the highest noise level that is trained on, in units of the points."""

_TEST_POINTS = 512


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
        check_least(self, runs=1, mixture_steps=1, mixture_batch=1, width=1)


def draw_points(count, generator):
    """Points of the mixture, float32 (count, `DIMENSION`)."""
    sides = generator.choice([-MEAN, MEAN], (count, 1))
    return (sides + generator.standard_normal((count, DIMENSION))).astype(np.float32)


def mixture_network(width, seed):
    """The network of points as images (8, 1, 1)."""
    return build_network(SHAPE, width=width, variance=1 + MEAN**2, seed=seed)


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
    model = mixture_network(settings.width, seed)
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
    batches = noisy_batches(train.reshape(-1, *SHAPE), batch_size, SIGMAS, generator)
    taken = 0
    for step in range(1, last + 1):
        if clock.due(step) or step == last:
            train_on(model, batches, step - taken)
            taken = step
            clock.look(step, denoiser)
    return Curve(count, tuple(clock.looks))


def _as_images(points):
    low, high = VALUE_RANGE
    return ((points - low) / (high - low)).reshape(-1, *SHAPE)
