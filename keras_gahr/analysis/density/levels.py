"""A denoiser of the law of images with a little noise of their own, at one noise level after the other."""

import math

import numpy as np

from keras_gahr.baselines.baseline import Baseline
from keras_gahr.denoisers.inference import CurrentInference
from keras_gahr.errors import InputError
from keras_gahr.noise import check_levels, check_units, keyed_normal

from ..jacobian import Linearizer

LOWEST, HIGHEST = 10**-3.5, 10**1.5
"""Noise levels where a formula that knows them all ends: 1e7 to 1e-3 in 1 / sigma^2."""

HIGHEST_SEEN = 1.0
"""Where a network ends that does not say what it knows: most are trained up to here."""

_LOOKS = 33
"""Levels at which it is asked whether a network still denoises."""

_LOOKING = 2**33 - 1
"""The draw of the noise for that."""


class LeveledDenoiser:
    """D of images whose law is smoothed by noise of the level `own`, at levels sigma of more noise.

    The best denoiser of the smoothed law follows from that of the law itself, by Tweedie's formula for both:
    y - D'(y) = (y - D(y)) sigma^2 / t^2, where t^2 = sigma^2 + own^2 is what D sees.

    Args:
        denoiser: a `Denoiser`; a `Baseline` is told the levels, even if it would estimate them.
        own: level of the noise of the images, in units of [0, 1]; 0 for none.
        batch_size: images computed at once.
    """

    def __init__(self, denoiser, own=0.0, batch_size=32):
        self.formula = isinstance(denoiser, Baseline)
        self.denoiser = denoiser.knowing(HIGHEST_SEEN) if self.formula else denoiser
        if self.denoiser.input_channels != self.denoiser.output_channels:
            raise InputError(
                "received a denoiser that takes more than a noisy image, which has no density"
            )
        self.own = own
        self.batch_size = batch_size
        self._current = CurrentInference(batch_size)
        self._linearizer = None

    def range(self, sigmas=None):
        """The lowest and the highest noise level: those given, or how far the denoiser is known to go."""
        if sigmas is None:
            low, high = self.denoiser.limits
            # What it sees at a level is more by the images' own noise.
            high = math.sqrt(max(high**2 - self.own**2, 0))
            low, high = max(low, LOWEST), min(high, HIGHEST if self.formula else HIGHEST_SEEN)
            if not low < high:
                known = "{:.3g} to {:.3g}".format(*self.denoiser.limits)
                raise InputError(
                    f"received a denoiser that knows noise from {known}, which leaves no levels beside the "
                    f"images' own noise of {self.own:.3g}: give a lower dequantize, or another denoiser"
                )
            return low, high
        levels = check_levels(sigmas)
        if len(levels) != 2 or not levels[0] < levels[1]:
            raise InputError(
                f"received noise levels {sigmas}, expected the lowest and the highest one"
            )
        if self.formula:
            # It knows all levels, and a density wants the highest that there are.
            check_units(levels[0])
        else:
            for level in levels:
                self.denoiser.check_sigma(self.total(level))
        return levels

    def useful(self, low, high, images, seed):
        """The lowest noise level from which on up it takes noise away from images, float32 (N, H, W, C).

        Below, a network that was trained too briefly leaves more than there was, and images that are left as
        they are count for better. A formula is the best there is at all levels.
        """
        if self.formula:
            return low
        noise = keyed_normal(seed, range(len(images)), _LOOKING, images.shape[1:])
        found = high
        for sigma in map(float, np.geomspace(high, low, _LOOKS)):
            residual = self.residual(images + np.float32(sigma) * noise, sigma)
            left = np.square(residual / np.float32(sigma) - noise, dtype=np.float64).mean()
            if left >= np.square(noise, dtype=np.float64).mean():
                break
            found = sigma
        # Two levels at least: a network that does not denoise at all has no density worth the name.
        return min(found, high / 2)

    def total(self, sigma):
        """What D sees at a level."""
        return float(np.hypot(sigma, self.own))

    def residual(self, noisy, sigma):
        """y - D'(y), float32 (N, H, W, C)."""
        total = self.total(sigma)
        if self.formula:
            self.denoiser.set_sigma(total, any_size=True)
        found = self._current.of(self.denoiser).residual(noisy, sigma=total)
        return found * np.float32((sigma / total) ** 2)

    def linearizer(self, sigma):
        """The `Linearizer` of D at what it sees, which is that of `own` alone for level 0."""
        if self.formula:
            self.denoiser.set_sigma(self.total(sigma), any_size=True)
        if self._linearizer is None:
            self._linearizer = Linearizer(self.denoiser, batch_size=self.batch_size)
        return self._linearizer


def squared_lengths(images):
    """|x|^2 of each image, float64 (N,)."""
    return np.square(images, dtype=np.float64).sum(axis=(1, 2, 3))
