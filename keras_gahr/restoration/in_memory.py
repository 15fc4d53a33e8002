"""Restoration of images in memory."""

import functools
import itertools
from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.image_arrays import as_images
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.progress import Progress, shows_progress
from keras_gahr.sampling import AscentSchedule, MultistepSchedule, NoiseLevels
from keras_gahr.sampling.measurements import Measurement, image_sides, parse_measurement

from .arrays import as_observed
from .averages import Restoration, restore_alike


@overload
def restore(
    denoiser: DenoiserLike,
    observed: list | tuple,
    measurement: Measurement | str | Sequence[Measurement],
    *,
    clean: Sequence[ArrayLike] | None = None,
    repeat: int = 1,
    seed: int = 0,
    schedule: AscentSchedule | MultistepSchedule | NoiseLevels | None = None,
    sampler: str = "ascent",
    batch_size: int = 16,
    memory: int | None = None,
    progress: Progress = None,
) -> list[Restoration]: ...


@overload
def restore(
    denoiser: DenoiserLike,
    observed: ArrayLike,
    measurement: Measurement | str,
    *,
    clean: ArrayLike | None = None,
    repeat: int = 1,
    seed: int = 0,
    schedule: AscentSchedule | MultistepSchedule | NoiseLevels | None = None,
    sampler: str = "ascent",
    batch_size: int = 16,
    memory: int | None = None,
    progress: Progress = None,
) -> Any: ...


@shows_progress("restoring")
def restore(
    denoiser: DenoiserLike,
    observed: ArrayLike | list | tuple,
    measurement: Measurement | str | Sequence[Measurement],
    *,
    clean: ArrayLike | Sequence[ArrayLike] | None = None,
    repeat: int = 1,
    seed: int = 0,
    schedule: AscentSchedule | MultistepSchedule | NoiseLevels | None = None,
    sampler: str = "ascent",
    batch_size: int = 16,
    memory: int | None = None,
    progress: Progress = None,
) -> Restoration | list[Restoration]:
    """Restores images from what was observed of them and the prior in a denoiser.

    Sample r of every image has the noise of image r of the seed's sequence, as `sample` draws it, so
    that an image does not depend on the others.

    Args:
        denoiser: see `as_denoiser`.
        observed: what was observed of one image, an array of the measurement's `measured_shape`, whose
            last axis may be left out where it is 1; of several, an array with one more axis before
            these, or a list, in which images may have different sizes. uint8 in 0..255, or floats.
            Called with an image, a measurement gives it.
        measurement: a `Measurement`, such as `kg.measurements.inpainting(mask)`; or a text like
            "super-resolution:4", see `kg.measurements.GRAMMAR`, for images of any size; or, of a
            list, a list of as many.
        clean: the images themselves where they are known, to compare with; default: they are not.
        repeat: samples of each image, whose mean has the smallest error.
        seed: of the noise, and of what is random in a measurement that is given as text.
        schedule, sampler, batch_size, memory, progress: see `sample`.

    Returns:
        A `Restoration`; of several images a list.

    Raises:
        InputError: for what does not fit the measurement or the denoiser.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((8, 16, 16, 1))
        >>> denoiser = kg.baselines.Wiener.from_images(images)
        >>> mask = np.ones((16, 16), bool)
        >>> mask[4:8, 4:8] = False
        >>> schedule = kg.sampling.AscentSchedule(beta=0.5, sigma_end=0.3)
        >>> hole = kg.measurements.inpainting(mask)
        >>> found = kg.restore(denoiser, hole(images[0]), hole, schedule=schedule, repeat=2)
        >>> found.mean.shape
        (16, 16, 1)
    """
    denoiser = as_denoiser(denoiser)
    channels = denoiser.output_channels
    parts, several = [observed], False
    if isinstance(observed, list | tuple):
        parts, several = list(observed), True
    references = _as_many(clean, parts, several, "clean images")
    if isinstance(measurement, list | tuple):
        choices = _as_many(measurement, parts, several, "measurements")
    else:
        choices = [measurement] * len(parts)
    fitted = functools.cache(functools.partial(_fitted, channels, seed))
    problems = []
    for place, (part, chosen, reference) in enumerate(zip(parts, choices, references, strict=True)):
        try:
            found, fit, axis = as_observed(part, fitted(chosen))
            known = [None] * len(found) if reference is None else _clean(reference, fit, len(found))
        except InputError as error:
            raise InputError(f"image {place}: {error}" if several else str(error)) from error
        several = several or axis
        problems += zip(itertools.repeat(fit), found, known, strict=False)
    names = [f"image-{place}" for place in range(len(problems))] if several else ["image"]
    restorations = []
    # Those of one measurement share batches.
    for _, block in itertools.groupby(
        zip(names, problems, strict=True), key=lambda pair: id(pair[1][0])
    ):
        some, (fits, found, known) = _columns(block)
        restorations += restore_alike(
            denoiser,
            some,
            fits[0],
            np.stack(found),
            known,
            repeat=repeat,
            seed=seed,
            schedule=schedule,
            sampler=sampler,
            batch_size=batch_size,
            memory=memory,
            progress=_share(progress, len(restorations), len(some), len(names)),
        )
    return restorations if several else restorations[0]


def _as_many(values, parts, several, what) -> list[Any]:
    """One value for each of the parts."""
    if values is None:
        return [None] * len(parts)
    values = list(values) if several else [values]
    if len(values) != len(parts):
        raise InputError(f"received {len(values)} {what} for {len(parts)} images: give as many")
    return values


def _fitted(channels, seed, chosen):
    """A function from the shape of what was observed to the measurement."""
    if isinstance(chosen, Measurement):
        fit = chosen.of_channels(channels)
        return lambda shape: fit
    if not isinstance(chosen, str):
        raise InputError(
            f"received a {type(chosen).__name__}, expected a measurement: a mask is "
            "kg.measurements.inpainting(mask), and a text such as 'super-resolution:4' will do"
        )

    @functools.cache
    def of_sides(sides):
        return parse_measurement(chosen, (*sides, channels), seed)

    def of_shape(shape):
        if len(shape) == 1:
            raise InputError(
                f"received {shape[0]} numbers, which do not say the size of the image: give the "
                "measurement, as kg.measurements.parse_measurement makes it, in place of a text"
            )
        return of_sides(image_sides(chosen, shape[:2]))

    return of_shape


def _clean(images, measurement, count):
    images, _ = as_images(images, measurement.shape[2])
    if images.shape != (count, *measurement.shape):
        raise InputError(
            f"received clean images of shape {images.shape}, expected {(count, *measurement.shape)}"
        )
    return images


def _columns(block):
    names, problems = zip(*block, strict=True)
    return list(names), tuple(zip(*problems, strict=True))


def _share(progress, before, count, total):
    """The progress with some images as part of all."""
    return lambda done, whole: progress(before + count * done / whole, total)
