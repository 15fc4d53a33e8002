"""How far a denoiser is from a gradient: only one that is has a density whose best denoiser it is."""

import numpy as np

from keras_gahr.noise import keyed_normal

from ..jacobian_statistics import asymmetry_of_products
from ..traces import PROBES, probe_signs

_SIGMA = 0.1
"""The noise level at which it is asked, or the nearest one that the denoiser knows."""

_DRAW = 2**33 - 2
"""Of the noise."""


def asymmetry_at(leveled, low, high, clean, seed, first):
    """|J - J^T| / |J|, its mean over noisy images, and their noise level.

    Args:
        leveled: `LeveledDenoiser`.
        low, high: the lowest and the highest noise level.
        clean: float32 (N, H, W, C).
        seed: of the noise and of the probes.
        first: the index of the first image.
    """
    sigma = float(np.clip(_SIGMA, low, high))
    indices = range(first, first + len(clean))
    noisy = clean + np.float32(sigma) * keyed_normal(seed, indices, _DRAW, clean.shape[1:])
    levels = leveled.total(sigma) if leveled.denoiser.told else None
    found = []
    for images, jacobians in leveled.linearizer(sigma).blocks(noisy, levels):
        signs = np.stack(
            [probe_signs(seed, k, range(PROBES), noisy.shape[1:]) for k in indices[images]]
        )
        products = jacobians.apply(signs), jacobians.apply_transposed(signs)
        found += [asymmetry_of_products(*pair) for pair in zip(*products, strict=True)]
    return float(np.mean(found)), sigma
