"""The most likely noise level of a noisy image, among levels from 0.001 to 2 and then between them."""

import numpy as np
from keras import ops

LEVELS = np.geomspace(1e-3, 2, 256)


def most_likely(cost):
    """The level of least cost, refined by a parabola in log sigma.

    Args:
        cost: (batch, 256), minus twice the log likelihood of each of `LEVELS`, up to a constant.

    Returns:
        A tensor (batch,).
    """
    best = ops.clip(ops.argmin(cost, axis=1), 1, len(LEVELS) - 2)[:, None]
    below, at, above = (
        ops.take_along_axis(cost, best + offset, axis=1)[:, 0] for offset in (-1, 0, 1)
    )
    curvature = below - 2 * at + above
    shift = (below - above) / (2 * ops.maximum(curvature, 1e-6))
    step = np.log(LEVELS[1] / LEVELS[0])
    place = ops.cast(best[:, 0], "float32") + ops.clip(shift, -1, 1)
    return ops.exp(float(np.log(LEVELS[0])) + float(step) * place)
