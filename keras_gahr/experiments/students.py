"""Networks that are trained on points of the published MoLRG, a mixture whose law and optimum are known.

They are trained by a plain Keras loop, within EDM's preconditioning, and told the noise level.
"""

import dataclasses

import keras
import numpy as np

from keras_gahr.datasets import MOLRG, mixture_law
from keras_gahr.denoisers import EDM, wrap
from keras_gahr.errors import InputError

from .networks import check_least
from .points import build_network, noisy_batches, train_on

LAW = mixture_law(**MOLRG)
SHAPE = LAW.image_shape

UNIT = float(np.sqrt(LAW.variances.max()))
"""The deviation along a direction of a class, in units of [0, 1]."""

DEVIATION = float(np.sqrt(LAW.variances.sum(axis=1).mean() / np.prod(SHAPE)) / UNIT)
"""Of a value of the points, in `UNIT`."""

VALUE_RANGE = (-0.5 / UNIT, 0.5 / UNIT)
"""What black and white stand for in `UNIT`: the mean is 0."""

SIGMAS = (0.1, 7.0)
"""The lowest and the highest noise level, in `UNIT`. Below, what is learnt of a subspace shows no more: noise
of this level is a quarter of the points."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudentSettings:
    """How they are trained.

    Args:
        steps: of each training, whatever N is.
        batch: points of a step, each with noise of its own; small sets are repeated.
        rate: of Adam, which falls to 0 along a cosine.
        width: of the network.
    """

    steps: int = 40_000
    batch: int = 64
    rate: float = 7e-3
    width: int = 128

    def check(self):
        """Raises `InputError` for what cannot be run."""
        check_least(self, steps=1, batch=1, width=1)
        if not self.rate > 0:
            raise InputError(f"received rate = {self.rate:g}, expected a number above 0")


def train_student(images, settings, seed):
    """A network trained on points of the mixture.

    Args:
        images: float32 (N, H, W, C) in [0, 1].
        settings: `StudentSettings`.
        seed: of weights, order and noise.

    Returns:
        A `ForeignDenoiser`.
    """
    # The last weights start at 0, so that nothing random has to be unlearnt first.
    model = build_network(
        SHAPE,
        rate=keras.optimizers.schedules.CosineDecay(settings.rate, settings.steps),
        width=settings.width,
        activation="silu",
        starts_at_zero=True,
        seed=seed,
    )
    generator = np.random.default_rng([seed, len(images)])
    points = ((images - 0.5) / UNIT).astype(np.float32)
    batches = noisy_batches(points, settings.batch, SIGMAS, generator)
    train_on(model, map(_preconditioned, batches), settings.steps)
    return wrap(model, "edm", EDM(DEVIATION), value_range=VALUE_RANGE)


def _preconditioned(batch):
    """What the network is given and what it should find (Karras et al., arXiv 2206.00364, table 1)."""
    noisy, levels, noise = batch
    sigma = levels[:, None, None, None]
    size = np.sqrt(sigma**2 + DEVIATION**2)
    clean = noisy - sigma * noise
    found = (sigma * clean - DEVIATION**2 * noise) / (DEVIATION * size)
    return (noisy / size).astype(np.float32), np.log(levels) / 4, found.astype(np.float32)
