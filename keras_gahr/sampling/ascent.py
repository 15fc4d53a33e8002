"""Coarse-to-fine stochastic ascent of the prior in a denoiser (paper, appendix A.2)."""

import dataclasses
import functools
import itertools
import math

import numpy as np
from keras import ops

from keras_gahr import _backend
from keras_gahr.errors import InputError
from keras_gahr.noise import check_seed, keyed_normal

from .measurements import Synthesis

DIVERGED = 2.0
"""An image whose estimated noise level rises above this is given up."""

_MOST_STEPS = 10**6


@dataclasses.dataclass(frozen=True)
class AscentSchedule:
    """Noise levels and steps of the sampler; every sigma in units of [0, 1].

    Args:
        sigma_0: noise level of the initial image.
        sigma_end: an image is finished when its estimated noise level is below this.
        h0: first step size, a fraction of the residual.
        beta: 1 adds no noise; smaller values inject more. The published code uses 0.01, the paper 0.1.
        fixed_h: keep the step size at `h0` instead of letting it grow as h0 t / (1 + h0 (t - 1)).
        init_mean: grey value the initial noise is added to.
        max_steps: steps after which an unfinished image is given up; by default five times what
            theory predicts.

    Raises:
        InputError: for values outside their ranges.
    """

    sigma_0: float = 1.0
    sigma_end: float = 0.01
    h0: float = 0.01
    beta: float = 0.01
    fixed_h: bool = False
    init_mean: float = 0.5
    max_steps: int | None = None

    def __post_init__(self):
        if not 0 < self.sigma_end < self.sigma_0 <= DIVERGED:
            raise InputError(
                f"received noise levels from {self.sigma_0} to {self.sigma_end}, expected "
                f"{DIVERGED:g} >= sigma_0 > sigma_end > 0"
            )
        if not 0 < self.h0 <= 1:
            raise InputError(f"received step size h0 = {self.h0}, expected 0 < h0 <= 1")
        if not 0 < self.beta <= 1:
            raise InputError(f"received beta = {self.beta}, expected 0 < beta <= 1")
        if not math.isfinite(self.init_mean):
            raise InputError(
                f"received init_mean = {self.init_mean}, expected a grey value like 0.5"
            )
        if self.max_steps is None:
            object.__setattr__(self, "max_steps", 5 * self.predicted_steps())
        elif self.max_steps < 1:
            raise InputError(f"received max_steps = {self.max_steps}, expected at least 1")

    def step_size(self, t):
        """h at step t = 1, 2, ..."""
        return self.h0 if self.fixed_h else self.h0 * t / (1 + self.h0 * (t - 1))

    def noise_gain(self, t):
        """gamma / sigma at step t: what keeps the noise level falling by 1 - beta h."""
        h = self.step_size(t)
        return math.sqrt((1 - self.beta * h) ** 2 - (1 - h) ** 2)

    def predicted_steps(self):
        """Steps until sigma_end if the noise level falls by 1 - beta h_t at every step."""
        level, t = self.sigma_0, 0
        while level > self.sigma_end:
            if t == _MOST_STEPS:
                raise InputError(
                    f"with h0 = {self.h0} and beta = {self.beta} the sampler would take more than "
                    f"{_MOST_STEPS} steps: choose larger ones"
                )
            t += 1
            level *= 1 - self.beta * self.step_size(t)
        return t


@dataclasses.dataclass(frozen=True)
class Samples:
    """What the sampler found.

    Args:
        images: float32 `(count, height, width, channels)`, after the final denoising; not clipped.
        steps: steps taken for each image.
        sigma: noise level |r(y)| / sqrt(d) before the final denoising, for each image.
        status: for each image "converged", "max_steps" or "diverged".
    """

    images: np.ndarray
    steps: np.ndarray
    sigma: np.ndarray
    status: tuple[str, ...]


def sample(
    denoiser,
    shape,
    *,
    count=1,
    seed=0,
    schedule=None,
    measurement=None,
    measured=None,
    first_image=0,
    batch_size=16,
    noise=None,
    initial=None,
    callback=None,
    progress=None,
    check_every=8,
):
    """Draws images from the prior in a denoiser, given linear measurements if there are any.

    Image k of a seed is the same alone, in a batch of any size and on every backend, to rounding.

    Args:
        denoiser: a `Denoiser` whose input and output have the same channels.
        shape: of one image, `(height, width, channels)`.
        count: how many images.
        seed: of the noise.
        schedule: an `AscentSchedule`; by default the published code's.
        measurement: a `Measurement`; by default `Synthesis`.
        measured: what it measured, with a leading axis of `count` or 1.
        first_image: index of the first image in the seed's sequence.
        batch_size: images computed at once.
        noise: instead of the seed, a function `noise(images, t)` that returns standard normal noise
            `(len(images), *shape)` for image indices at step t = 1, 2, ...; t = 0 is the initial
            image's.
        initial: initial images `(count, *shape)` to start from instead of noise.
        callback: called after each step with (images, t, y, sigma): image indices, step, tensors
            `(batch, *shape)` and `(batch,)`.
        progress: called now and then with (done, total): how many images are finished, where an
            unfinished one counts as the fraction of the way its noise level has come.
        check_every: steps between looks at sigma; reading it makes the device wait.

    Returns:
        `Samples`. An image that diverges or runs out of steps is flagged and does not disturb others.

    Raises:
        InputError: for a count below 1, a seed out of range, a conditional denoiser, or a shape that
            does not fit.
    """
    schedule = schedule or AscentSchedule()
    measurement = measurement or Synthesis(shape)
    if count < 1:
        raise InputError(f"received a count of {count} images, expected at least 1")
    check_seed(seed)
    if denoiser.output_channels != denoiser.input_channels:
        raise InputError(
            "received a conditional denoiser, which has no prior of its own: sample with the "
            "multi-scale denoiser it belongs to"
        )
    denoiser.check_shape((count, *shape))
    if noise is None:

        def noise(images, t):
            return keyed_normal(seed, images, t, shape)

    ascent = _Ascent(denoiser, measurement, schedule)
    parts = []
    for start in range(0, count, batch_size):
        batch = slice(start, min(start + batch_size, count))
        images = range(first_image + batch.start, first_image + batch.stop)
        known = _known(measurement, measured, batch, shape)
        y = ascent.start(noise(images, 0), known) if initial is None else initial[batch]
        done = functools.partial(_report, progress, batch, count, schedule)
        parts.append(ascent.run(images, y, known, noise, callback, done, check_every))
    return Samples(
        images=np.concatenate([part.images for part in parts]),
        steps=np.concatenate([part.steps for part in parts]),
        sigma=np.concatenate([part.sigma for part in parts]),
        status=tuple(itertools.chain.from_iterable(part.status for part in parts)),
    )


def _report(progress, batch, count, schedule, sigma):
    """Tells `progress` how far the images of a batch have come."""
    if progress is not None:
        level = np.clip(np.nan_to_num(sigma), schedule.sigma_end, schedule.sigma_0)
        way = np.log(schedule.sigma_0 / level) / np.log(schedule.sigma_0 / schedule.sigma_end)
        progress(batch.start + float(np.clip(way, 0, 1).sum()), count)


def _known(measurement, measured, batch, shape):
    """M^T m for a batch of images, `(batch, *shape)`."""
    images = batch.stop - batch.start
    if measured is None:
        return np.zeros((images, *shape), np.float32)
    measured = measured if len(measured) == 1 else measured[batch]
    known = ops.convert_to_numpy(measurement.back_project(ops.convert_to_tensor(measured)))
    return np.broadcast_to(known, (images, *shape))


class _Ascent:
    """The algorithm on one batch, its step compiled once for each batch shape."""

    def __init__(self, denoiser, measurement, schedule):
        self.measurement = measurement
        self.schedule = schedule
        self._step = _backend.compile_inference(denoiser, self._step_of)
        self._level = _backend.compile_inference(denoiser, self._level_of)

    def start(self, noise, known):
        """y = (I - P) e + M^T m + sigma_0 z with e = init_mean everywhere."""
        mean = ops.full(noise.shape, self.schedule.init_mean, dtype="float32")
        unknown = ops.convert_to_numpy(mean - self.measurement.project(mean))
        return unknown + known + np.float32(self.schedule.sigma_0) * noise

    def run(self, images, y, known, noise, callback, report, check_every):
        schedule = self.schedule
        _, sigma = self._level(y)
        steps = np.zeros(len(images), np.int32)
        for t in range(1, schedule.max_steps + 1):
            if (t - 1) % check_every == 0:
                level = ops.convert_to_numpy(sigma)
                report(level)
                if not self._active(level).any():
                    break
            h = np.float32(schedule.step_size(t))
            gain = np.float32(schedule.noise_gain(t))
            y, sigma, steps = self._step(y, sigma, steps, h, gain, noise(images, t), known)
            if callback is not None:
                callback(images, t, y, sigma)
        estimated = ops.convert_to_numpy(sigma)
        residual, final_sigma = self._level(y)
        return Samples(
            images=ops.convert_to_numpy(y) - ops.convert_to_numpy(residual),
            steps=ops.convert_to_numpy(steps),
            sigma=ops.convert_to_numpy(final_sigma),
            status=tuple(self._status(level) for level in estimated),
        )

    def _active(self, sigma):
        return (sigma > self.schedule.sigma_end) & (sigma <= DIVERGED)

    def _status(self, sigma):
        if sigma <= self.schedule.sigma_end:
            return "converged"
        return "max_steps" if sigma <= DIVERGED else "diverged"

    def _step_of(self, network, y, sigma, steps, h, gain, z, known):
        active = self._active(sigma)
        g = self.measurement.ascent_direction(network(y), y, known)
        new_sigma = _noise_level(g)
        new_y = y - h * g + gain * new_sigma[:, None, None, None] * z
        # Finished images are frozen, so that one that takes longer does not change them.
        return (
            ops.where(active[:, None, None, None], new_y, y),
            ops.where(active, new_sigma, sigma),
            steps + ops.cast(active, "int32"),
        )

    @staticmethod
    def _level_of(network, y):
        residual = network(y)
        return residual, _noise_level(residual)


def _noise_level(x):
    """|x| / sqrt(d) for each image of a batch."""
    return ops.sqrt(ops.mean(ops.square(x), axis=(1, 2, 3)))
