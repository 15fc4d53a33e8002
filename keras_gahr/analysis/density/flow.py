"""The density along the probability-flow equation (Song et al. 2021, arXiv 2011.13456, equation 39).

Along dy / d sigma = r(y) / sigma the density of the noisy law changes by d log p / d log sigma = -(d - tr J):
from the image's own noise level up to the highest one, where noisy images count as normal.
"""

import math

import numpy as np
from scipy import stats

from keras_gahr.errors import InputError

from ..intervals import CONFIDENCE
from ..traces import trace
from .levels import HIGHEST_SEEN, squared_lengths

PASSES = 4
"""Of the denoiser in a step, besides those of the trace."""


def way(leveled, own, sigmas):
    """The lowest and the highest noise level that images are followed through.

    Those with noise of their own are points of the law with this noise, where their way begins: a law with
    more of it has another density there.

    Args:
        leveled: `LeveledDenoiser` without noise of its own.
        own: level of the noise that the images have, or 0.
        sigmas: the levels that are asked for, or None.
    """
    low, high = leveled.range(sigmas)
    high = min(high, HIGHEST_SEEN)
    if not max(low, own) < high:
        raise InputError(
            f"received a noise level of {max(low, own):.3g} to begin with, and a flow that ends at "
            f"{high:.3g}: give lower sigmas or dequantize"
        )
    if not own:
        return low, high
    if sigmas is not None and not math.isclose(low, own, rel_tol=1e-4):
        raise InputError(
            f"received noise levels from {low:g} on, and images with noise of {own:.3g} of their own, where "
            f"the flow begins: give levels from there on, dequantize {low:g}, or the method mmse"
        )
    known = leveled.denoiser.limits[0]
    if own < known * (1 - 1e-6):
        raise InputError(
            f"received images with noise of {own:.3g} of their own, where the flow begins, and a denoiser "
            # Rounded up, as a level below is refused again.
            f"that knows noise from {known:.3g} on: give dequantize {1.01 * known:.3g}, or the method mmse"
        )
    return own, high


def flow(leveled, low, high, clean, steps, probes, seed, first, tick):
    """Follows images up by Runge and Kutta's steps in sigma, whose ends lie evenly in log sigma.

    Args:
        leveled: `LeveledDenoiser` without noise of its own.
        low, high: the lowest and the highest noise level.
        clean: float32 (N, H, W, C).
        steps, probes: of the way, and of the trace at each end of a step.
        seed: of the probes.
        first: the index of the first image.
        tick: called with the number of evaluations after each step.

    Returns:
        As `by_errors`; the error is of traces, not of the steps. tr J / d stands for |x - D(y)|^2 / (d
        sigma^2), whose mean it is where the denoiser is the best one.
    """
    sigmas = np.geomspace(low, high, steps + 1).tolist()
    d = clean[0].size

    def look(place, y):
        found = trace(
            leveled.linearizer(sigmas[place]),
            y,
            sigma=sigmas[place],
            probes=probes,
            # Other probes at each place.
            seed=seed + place,
            first=first,
            progress=False,
        )
        seen = leveled.residual(y, sigmas[place]) / np.float32(sigmas[place])
        tick(len(y) * (probes + PASSES))
        return seen, found.value, found.standard_error

    y = clean
    seen, *found = look(0, y)
    traces = [found]
    for place in range(1, steps + 1):
        y = _step(leveled, y, seen, sigmas[place - 1], sigmas[place])
        seen, *found = look(place, y)
        traces.append(found)
    values, errors = np.stack(traces, axis=1)
    weights = np.full(steps + 1, np.log(high / low) / steps)
    weights[[0, -1]] /= 2
    # Of equal variance in all directions, y - D(y) = (y - mean) sigma^2 / (s^2 + sigma^2).
    lost = np.clip(1 - values[-1] / d, 1e-9, None)
    power = squared_lengths(seen)
    last = -d / 2 * np.log(2 * np.pi * high**2 / lost) - power / (2 * lost)
    error = np.sqrt(weights**2 @ errors**2)
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, (probes - 1) * (steps + 1))
    passes = np.full(len(y), (probes + PASSES) * (steps + 1))
    density = last + weights @ (d - values)
    return density, error, quantile * error, passes, values.T / d, np.array(sigmas)


def _step(leveled, y, seen, sigma, following):
    """y at the next level; `seen` is r(y) / sigma at this one.

    It hardly changes where there is much noise, so that long steps in sigma are possible there.
    """
    length, middle = np.float32(following - sigma), (sigma + following) / 2

    def slope(y, sigma):
        return leveled.residual(y, sigma) / np.float32(sigma)

    second = slope(y + length / 2 * seen, middle)
    third = slope(y + length / 2 * second, middle)
    fourth = slope(y + length * third, following)
    return y + length / 6 * (seen + 2 * second + 2 * third + fourth)
