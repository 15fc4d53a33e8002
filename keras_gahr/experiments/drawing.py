"""What networks and optima draw from the same noise."""

import dataclasses
import itertools

import numpy as np

from keras_gahr.analysis.explanation.rivals import Rival
from keras_gahr.noise import keyed_normal
from keras_gahr.sampling import NoiseLevels

_GREY = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Drawing:
    """Images on the way from noise.

    Attributes:
        sigmas: the T + 1 noise levels, descending, in units of [0, 1]: those of the T steps, and the last.
        y: float32 (T + 1, M, H, W, C), the images at these levels.
        images: float32 (M, H, W, C), the last ones denoised.
    """

    sigmas: list[float]
    y: np.ndarray
    images: np.ndarray

    @property
    def noisy(self):
        """The images at each noise level, as `calibrate` takes them."""
        return dict(zip(self.sigmas, self.y, strict=True))


def levels_for(denoiser, steps):
    """The T + 1 noise levels of so many steps, as far as a denoiser knows them."""
    schedule = NoiseLevels(steps=steps).known_by(denoiser)
    return [schedule.level(t) for t in range(1, steps + 2)]


def first_noise(count, shape, sigma, seed):
    """Grey images in noise, float32 (count, *shape)."""
    noise = keyed_normal(seed, range(count), 0, shape)
    return (_GREY + sigma * noise).astype(np.float32)


def draw(denoiser, noisy, sigmas):
    """The `Drawing` of a denoiser that is told the noise levels if it takes them.

    A step is Euler's along dy / dsigma = (y - D(y)) / sigma, which adds no noise: all who start from the same
    images would end with the same if they denoised alike. It is that of the sampler "euler", which would let
    optima estimate the noise level.

    Args:
        denoiser: a `Denoiser`.
        noisy: float32 (M, H, W, C), at the first noise level.
        sigmas: the noise levels, descending.
    """
    rival, y = Rival(denoiser), [noisy]
    for sigma, following in itertools.pairwise(sigmas):
        noise = y[-1] - rival.denoise(y[-1], sigma)
        y.append((y[-1] + (following / sigma - 1) * noise).astype(np.float32))
    return Drawing(sigmas, np.stack(y), rival.denoise(y[-1], sigmas[-1]))
