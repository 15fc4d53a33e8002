"""Images from the prior in a denoiser, batch by batch."""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
import warnings
from collections.abc import Callable, Sequence

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import FINITE
from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.datasets.stacks import pixel_values
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.denoisers.configuration import plain_values
from keras_gahr.errors import InputError
from keras_gahr.noise import check_seed, check_whole, keyed_normal
from keras_gahr.progress import Progress, shows_progress

from .ancestral import ancestral_step
from .ascent import AscentSchedule, ascent_step
from .euler import euler_step
from .heun import heun_step
from .measurements import Measurement, Synthesis
from .multistep import MultistepSchedule, multistep_step
from .noise_levels import NoiseLevels
from .request import check_request
from .run import SamplerRun
from .samples import Samples, concatenate_samples
from .trajectory import Trajectory


@dataclasses.dataclass(frozen=True)
class Sampler:
    """A way to go from noise to an image.

    Args:
        step: a pure function like `ascent_step`.
        schedule: the class of its schedules.
        adds_noise: whether a step does.
        passes: of the network in a step.
        looks_back: whether a step takes what the one before saw, as `multistep_step` does.
    """

    step: Callable
    schedule: type[AscentSchedule | MultistepSchedule | NoiseLevels]
    adds_noise: bool
    passes: int = 1
    looks_back: bool = False


SAMPLERS = {
    "ascent": Sampler(ascent_step, AscentSchedule, adds_noise=True),
    "euler": Sampler(euler_step, NoiseLevels, adds_noise=False),
    "heun": Sampler(heun_step, NoiseLevels, adds_noise=False, passes=2),
    "ancestral": Sampler(ancestral_step, NoiseLevels, adds_noise=True),
    "multistep": Sampler(multistep_step, MultistepSchedule, adds_noise=True, looks_back=True),
}
"""The samplers by name."""


def sampler_named(name: str) -> Sampler:
    """One of `SAMPLERS`; raises `InputError` for another name."""
    if name not in SAMPLERS:
        raise InputError(f"received sampler {name!r}, expected one of {', '.join(SAMPLERS)}")
    return SAMPLERS[name]


_KEPT = "_keras_gahr_sampler"


@shows_progress("sampling")
def sample(
    denoiser: DenoiserLike,
    shape: Sequence[int],
    *,
    count: int = 1,
    seed: int = 0,
    schedule: AscentSchedule | MultistepSchedule | NoiseLevels | None = None,
    measurement: Measurement | None = None,
    measured: ArrayLike | None = None,
    first_image: int = 0,
    batch_size: int = 16,
    noise: Callable[[Sequence[int], int], np.ndarray] | None = None,
    initial: ArrayLike | None = None,
    callback: Callable | None = None,
    progress: Progress = None,
    check_every: int = 8,
    sampler: str = "ascent",
    condition: ArrayLike | None = None,
    final_denoise: bool = True,
    trajectory: Trajectory | None = None,
    memory: int | None = None,
    prepared: SamplerRun | None = None,
) -> Samples:
    """Draws images from the prior in a denoiser, given linear measurements if there are any.

    A network that is told the noise level is told that of the schedule; in the ascent `sigma_0` and then
    what a step leaves of it and adds, which is a part of the level that the network saw.

    Image k of a seed is the same alone, in a batch of any size and on every backend, to rounding.
    The step is compiled for each batch shape; a call like the last one with the same denoiser, whatever
    its weights are by then, finds it compiled.

    Args:
        denoiser: see `as_denoiser`; its input and output have the same channels, or it has a condition.
        shape: of one image, `(height, width, channels)`; without channels, the denoiser's.
        count: how many images.
        seed: of the noise.
        schedule: an `AscentSchedule`, by default the published code's; for the sampler multistep a
            `MultistepSchedule`, for the others a `NoiseLevels`.
        measurement: a `Measurement` of images of the shape, or a mask for any channels; by default
            `Synthesis`.
        measured: what the measurement gives when it is called with images, in the same units (means
            of blocks, a blurred picture), with a leading axis of `count` or 1; uint8 in 0..255, or floats.
        first_image: index of the first image in the seed's sequence.
        batch_size: images computed at once.
        noise: instead of the seed, a function `noise(images, t)` that returns standard normal noise
            `(len(images), *shape)` for image indices at step t = 1, 2, ...; t = 0 is the initial
            image's.
        initial: initial images `(count, *shape)` to start from instead of noise.
        callback: called after each step with (images, t, y, sigma): image indices, step, tensors
            `(batch, *shape)` and `(batch,)`.
        progress: called now and then with (done, total): how many images are finished, where an
            unfinished one counts as the fraction of the way its noise level has come. By default a bar
            is shown in terminals and notebooks, by False none.
        check_every: steps between looks at sigma; reading it makes the device wait.
        sampler: a key of `SAMPLERS`.
        condition: what a conditional denoiser is given, `(count, height, width, channels)`; the first
            channels of its input.
        final_denoise: whether to denoise the last image, as published.
        trajectory: a `Trajectory`, which is started anew and keeps some steps.
        memory: bytes that a pass of the network may take, by default a quarter of what is free; see
            `Inference`.
        prepared: what `prepare` made for the same denoiser and shape. Its schedule, measurement, sampler,
            final denoising and memory are taken in place of those given here, and its weights are those
            of that time, however many calls there are in between.

    Returns:
        `Samples`. An image that diverges or runs out of steps is flagged and does not disturb others.

    Warns:
        UserWarning: if an image is still noise, which the denoiser does not see, as one does that was
            hardly trained; see `Samples`.

    Raises:
        InputError: for a count below 1 or more than memory can hold, a seed out of range, an unknown
            sampler or one of another schedule, a conditional denoiser without a condition, or shapes
            that do not fit.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((8, 16, 16, 1))
        >>> denoiser = kg.baselines.Wiener.from_images(images)
        >>> schedule = kg.sampling.AscentSchedule(beta=0.5, sigma_end=0.3)
        >>> samples = kg.sample(denoiser, (16, 16), count=2, schedule=schedule)
        >>> samples.images.shape, samples.status
        ((2, 16, 16, 1), ('converged', 'converged'))
    """
    for name, given, fits, expected in (
        (
            "trajectory",
            trajectory,
            isinstance(trajectory, Trajectory),
            "a keras_gahr.sampling.Trajectory",
        ),
        (
            "prepared",
            prepared,
            isinstance(prepared, SamplerRun),
            "what keras_gahr.sampling.prepare returns",
        ),
        ("callback", callback, callable(callback), "a function of images, t, y and sigma"),
        ("noise", noise, callable(noise), "a function of images and t"),
    ):
        if given is not None and not fits:
            raise InputError(
                f"received {name} of the type {type(given).__name__}, expected {expected}"
            )
    denoiser = as_denoiser(denoiser)
    shape, count = check_request(denoiser, shape, count)
    seed = check_seed(seed)
    batch_size = check_whole(batch_size, "batch_size", 1)
    check_every = check_whole(check_every, "check_every", 1)
    # The index of an image is a key of its noise.
    first_image = check_whole(first_image, "first_image", 0, 2**64 - count)
    # Of any values: images of another unit are flagged as diverged, and disturb no others.
    initial = None if initial is None else pixel_values(initial)
    condition = None if condition is None else pixel_values(condition)
    measured = None if measured is None else pixel_values(measured, FINITE)
    _check_shapes(denoiser, (count, *shape), initial, condition)
    fit = _fitting(prepared.measurement if prepared else measurement, shape)
    _check_measured(measured, fit, count)
    if noise is None:
        noise = functools.partial(_noise, seed, shape)
    else:
        noise = functools.partial(_given_noise, noise, shape)
    run = prepared or _prepared_again(
        denoiser,
        tuple(shape),
        schedule=schedule,
        measurement=measurement,
        sampler=sampler,
        final_denoise=final_denoise,
        memory=memory,
    )
    if trajectory is not None:
        trajectory.begin()
    parts = []
    for start in range(0, count, batch_size):
        batch = slice(start, min(start + batch_size, count))
        parts.append(
            run(
                range(first_image + batch.start, first_image + batch.stop),
                shape,
                noise,
                initial=None if initial is None else initial[batch],
                measured=_part(measured, batch),
                condition=None if condition is None else condition[batch],
                callback=callback,
                trajectory=trajectory,
                report=functools.partial(_report, progress, batch, count, run.schedule),
                check_every=check_every,
            )
        )
    samples = concatenate_samples(
        parts,
        schedule=run.schedule,
        facts=facts_of(denoiser, run.sampler, seed, first_image, run.final_denoise),
        # One more call with it takes nothing from these samples.
        trajectory=copy.copy(trajectory),
    )
    if "noise_unseen" in samples.status:
        warnings.warn(
            "some images are still noise, of which this denoiser sees less than a tenth: train it, "
            "for longer and with the noise that sampling starts from",
            stacklevel=3,
        )
    return samples


def facts_of(denoiser, sampler, seed, first_image, final_denoise):
    """What `Samples` say of how they were drawn, beside the schedule."""
    return {
        "provenance": plain_values(denoiser.provenance),
        "sampler": sampler,
        "passes_per_step": SAMPLERS[sampler].passes,
        "looked_first": SAMPLERS[sampler].looks_back,
        "seed": seed,
        "first_image": first_image,
        "final_denoise": final_denoise,
        "backend": keras.backend.backend(),
    }


def prepare(
    denoiser: DenoiserLike,
    shape: Sequence[int],
    *,
    schedule: AscentSchedule | MultistepSchedule | NoiseLevels | None = None,
    measurement: Measurement | None = None,
    sampler: str = "ascent",
    final_denoise: bool = True,
    memory: int | None = None,
) -> SamplerRun:
    """A sampler with the weights that the denoiser has now; see `sample` for the arguments.

    Raises:
        InputError: for an unknown sampler, or a schedule of another one.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.baselines.Wiener.from_images(np.random.default_rng(0).random((8, 8, 8)))
        >>> schedule = kg.sampling.AscentSchedule(beta=1.0, sigma_end=0.5)
        >>> prepared = kg.sampling.prepare(denoiser, (8, 8, 1), schedule=schedule)
        >>> [kg.sample(denoiser, (8, 8), seed=s, prepared=prepared).status[0] for s in (0, 1)]
        ['converged', 'converged']
    """
    denoiser = as_denoiser(denoiser)
    method = sampler_named(sampler)
    schedule = schedule or method.schedule()
    if not isinstance(schedule, method.schedule):
        raise InputError(
            f"received {type(schedule).__name__} for the sampler {sampler}, expected "
            f"{method.schedule.__name__}"
        )
    if denoiser.told:
        for name in ("sigma_0", "sigma_end"):
            denoiser.check_sigma(getattr(schedule, name))
    fit = _fitting(measurement, shape) or Synthesis(shape)
    return SamplerRun(denoiser, fit, sampler, method, schedule, final_denoise, memory)


def _prepared_again(denoiser, shape, **options):
    """As `prepare`; but what the last call made for the denoiser is taken if it had these options.

    The denoiser keeps it, so that both go at the same time, even where one refers to the other.
    """
    kept = vars(denoiser).get(_KEPT)
    if kept is not None and kept[0] == (shape, options):
        run = kept[1]
        run.refold()
    else:
        run = prepare(denoiser, shape, **options)
        # Not as an attribute, which Keras would look for weights in.
        vars(denoiser)[_KEPT] = ((shape, options), run)
    return run


def _given_noise(noise, shape, images, t):
    """What a function of the user's returns, which may be of any framework and type."""
    drawn = array_of(noise(images, t))
    expected = (len(images), *shape)
    if drawn.dtype.kind not in "fiu" or drawn.shape != expected:
        raise InputError(
            f"received noise of shape {drawn.shape} and type {drawn.dtype}, expected numbers of shape "
            f"{expected}"
        )
    return drawn.astype(np.float32, copy=False)


def _noise(seed, shape, images, t):
    return keyed_normal(seed, images, t, shape)


def _part(measured, batch):
    """What was measured of the images of a batch."""
    return measured if measured is None or len(measured) == 1 else measured[batch]


def _report(progress, batch, count, schedule, sigma):
    """Tells `progress` how far the images of a batch have come."""
    level = np.clip(np.nan_to_num(sigma), schedule.sigma_end, schedule.sigma_0)
    way = np.log(schedule.sigma_0 / level) / np.log(schedule.sigma_0 / schedule.sigma_end)
    progress(batch.start + float(np.clip(way, 0, 1).sum()), count)


def _fitting(measurement, shape):
    """The measurement of images of a shape, or None if there is none; raises `InputError` for another."""
    if measurement is None:
        return None
    if not isinstance(measurement, Measurement):
        raise InputError(
            f"received a {type(measurement).__name__}, expected a measurement, such as "
            "kg.measurements.parse_measurement makes of a text"
        )
    fit = measurement.of_channels(shape[-1])
    if tuple(fit.shape) != tuple(shape):
        raise InputError(
            f"received a measurement of images of shape {tuple(fit.shape)}, expected {tuple(shape)}: "
            "make one of their shape"
        )
    return fit


def _check_measured(measured, measurement, count):
    expected = () if measurement is None else tuple(measurement.measured_shape)
    if measured is None:
        if math.prod(expected) and measurement is not None:
            raise InputError("received a measurement, but not what it measured: give both, or none")
        return
    if measurement is None:
        raise InputError("received what was measured, but no measurement: give both, or none")
    if measured.shape not in ((1, *expected), (count, *expected)):
        several = f"{(count, *expected)} or " if count > 1 else ""
        raise InputError(
            f"received measurements of shape {measured.shape}, expected {several}{(1, *expected)}: call the "
            "measurement with images"
        )


def _check_shapes(denoiser, shape, initial, condition):
    given = denoiser.input_channels - denoiser.output_channels
    if condition is None and given:
        raise InputError(
            "received a conditional denoiser, which has no prior of its own: sample with the "
            "multi-scale denoiser it belongs to"
        )
    if condition is not None and condition.shape != (*shape[:3], given):
        raise InputError(
            f"received a condition of shape {condition.shape}, expected {(*shape[:3], given)}"
        )
    denoiser.check_shape((*shape[:3], shape[3] + given))
    if initial is not None and initial.shape != shape:
        raise InputError(f"received initial images of shape {initial.shape}, expected {shape}")
