"""The local machines that a network is held against, and those that know less."""

from keras_gahr.baselines import EmpiricalBayes, LocalBayes, Wiener
from keras_gahr.datasets import permutation, shuffle

ELS, LS, PIXEL, SHUFFLED = "ELS", "LS", "ELS, one pixel", "ELS, shuffled"
COPY, GAUSSIAN = "copy", "Gaussian"

CONTROLS = (PIXEL, SHUFFLED)
"""Machines that know less, and must be worse than ELS."""

_LEVEL = 1.0


def machines(train, known, sides, seed):
    """The optima that a network is held against, by name.

    Args:
        train: the network's training images (N, H, W, C).
        known: as many of them as the equivariant optima know.
        sides: (sigma, side) of the squares that explain the network best.
        seed: of the order of pixels.
    """
    height, width = train.shape[1:3]
    mixed = shuffle(known, permutation(height, width, seed))
    return {
        ELS: LocalBayes(known, sides, "equivariant", sigma=_LEVEL),
        LS: LocalBayes(train, sides, "local", sigma=_LEVEL),
        PIXEL: LocalBayes(known, 1, "equivariant", sigma=_LEVEL),
        SHUFFLED: LocalBayes(mixed, sides, "equivariant", sigma=_LEVEL),
        COPY: EmpiricalBayes(train, sigma=_LEVEL),
        GAUSSIAN: Wiener.from_images(train, sigma=_LEVEL),
    }
