"""Images from a multi-scale denoiser, the low band first and then details given what is there."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NOISY
from keras_gahr.datasets.stacks import pixel_values
from keras_gahr.denoisers import DenoiserLike, MultiScaleDenoiser, as_denoiser
from keras_gahr.denoisers.haar import haar_synthesize
from keras_gahr.errors import InputError
from keras_gahr.noise import check_seed, keyed_normal
from keras_gahr.progress import Progress, shows_progress

from .ascent import AscentSchedule
from .multistep import MultistepSchedule
from .noise_levels import NoiseLevels
from .request import check_request
from .sampler import facts_of, sample, sampler_named
from .samples import SampledImages, Samples
from .trajectory import Trajectory

# The draws of a level are numbered from this multiple on, so that no two levels share noise.
_DRAWS_OF_A_LEVEL = 2**32


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MultiScaleSamples(SampledImages):
    """What the sampler found, level by level.

    Attributes:
        images: float32 `(count, height, width, channels)`, not clipped.
        levels: `Samples` of each level in order: the low band (unless it was given), then the details
            of each scale, the coarsest first. Their sigma is in the units of their own bands.
        names: of the levels: "low_band", "detail_1", "detail_0".
        schedule: the one used.
        facts: see `Samples`.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.sampling import MultiScaleSamples, Samples
        >>> def level(side, status):
        ...     images, one = np.zeros((1, side, side, 1)), np.ones(1)
        ...     return Samples(images, one, one, (status,), one)
        >>> levels = level(4, "converged"), level(8, "max_steps")
        >>> found = MultiScaleSamples(levels[1].images, levels, ("low_band", "detail_0"))
        >>> found.status, found.steps
        (('max_steps',), array([2.]))
    """

    SHOWN: ClassVar[tuple[str, ...]] = ("status",)

    images: np.ndarray
    levels: tuple[Samples, ...]
    names: tuple[str, ...]
    schedule: AscentSchedule | MultistepSchedule | NoiseLevels | None = None
    facts: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    trajectory: ClassVar[Trajectory | None] = None

    @property
    def steps(self) -> np.ndarray:
        """Steps of all levels together, for each image."""
        return np.sum([level.steps for level in self.levels], axis=0)

    @property
    def passes(self) -> np.ndarray:
        """Passes of the networks of all levels together, for each image."""
        return np.sum([level.passes for level in self.levels], axis=0)

    @property
    def sigma(self) -> np.ndarray:
        """The last level's."""
        return self.levels[-1].sigma

    @property
    def first_sigma(self) -> np.ndarray:
        """The first level's."""
        return self.levels[0].first_sigma

    @property
    def status(self) -> tuple[str, ...]:
        """For each image "converged", or what the first level that did not came to."""
        return tuple(
            next((status for status in of_image if status != "converged"), "converged")
            for of_image in zip(*(level.status for level in self.levels), strict=True)
        )


@shows_progress("sampling")
def sample_multi_scale(
    denoiser: DenoiserLike,
    shape: Sequence[int],
    *,
    count: int = 1,
    seed: int = 0,
    schedule: AscentSchedule | MultistepSchedule | NoiseLevels | None = None,
    low_band: ArrayLike | None = None,
    first_image: int = 0,
    batch_size: int = 16,
    progress: Progress = None,
    sampler: str = "ascent",
    check_every: int = 8,
    final_denoise: bool = True,
    memory: int | None = None,
) -> MultiScaleSamples:
    """Draws the low band from its prior, then the details of each scale given the band below.

    Each level is a sampler of its own: the images are the details and the condition is the band so far
    (Kadkhodaie, Guth, Mallat, Simoncelli: Learning multi-scale local conditional probability models of
    images, ICLR 2023). So networks with small receptive fields make large images.

    Args:
        denoiser: a `MultiScaleDenoiser`, or one that `as_denoiser` finds.
        shape: of one image, `(height, width, channels)`.
        schedule: of the low band. Details of scale j start and end at noise levels 2^(j + 1) times
            lower, as the details of a noisy image do, around a mean of 0.
        low_band: images `(count, height / 2^k, width / 2^k, channels)` whose details are sought, the
            means over blocks of 2^k pixels: super-resolution.
        count, seed, first_image, batch_size, progress, sampler, check_every, final_denoise, memory:
            see `sample`.

    Returns:
        `MultiScaleSamples`. A level of an image that failed is flagged and gives its details all the
        same.

    Raises:
        InputError: as for `sample`, and for a low band that is no level of such an image.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> low = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=2)
        >>> build = kg.denoisers.build_conditional_denoiser
        >>> details = build("bf-cnn-rf", 4, num_kernels=2, receptive_field=5)
        >>> denoiser = kg.MultiScaleDenoiser(low, [details])
        >>> schedule = kg.sampling.AscentSchedule(max_steps=2)
        >>> sample = kg.sampling.sample_multi_scale
        >>> larger = sample(denoiser, (8, 8, 1), low_band=np.ones((1, 4, 4, 1)), schedule=schedule)
        >>> larger.images.shape, larger.names
        ((1, 8, 8, 1), ('detail_0',))
    """
    denoiser = as_denoiser(denoiser)
    if not isinstance(denoiser, MultiScaleDenoiser):
        raise InputError(
            f"received a {type(denoiser).__name__}, expected a multi-scale denoiser: kg.sample samples "
            "from others"
        )
    schedule = schedule or sampler_named(sampler).schedule()
    seed = check_seed(seed)
    shape, count = check_request(denoiser, shape, count)
    denoiser.check_shape((count, *shape))
    height, width, channels = shape
    missing = denoiser.num_scales
    band = None
    if low_band is not None:
        band = pixel_values(low_band, NOISY)
        missing = _missing_scales(band, (count, *shape), denoiser.num_scales)
    plan = list(reversed(range(missing))) if band is not None else [None, *reversed(range(missing))]
    levels = []
    for index, scale in enumerate(plan):
        halved = 2 ** (missing if scale is None else scale + 1)
        of_level = (height // halved, width // halved, channels * (1 if scale is None else 3))
        samples = sample(
            denoiser.low_band if scale is None else denoiser.details[scale],
            of_level,
            count=count,
            schedule=schedule if scale is None else _for_details(schedule, scale),
            noise=_noise(seed, 0 if scale is None else 1 + scale, of_level),
            condition=band,
            first_image=first_image,
            batch_size=batch_size,
            progress=_share(progress, index, len(plan)),
            sampler=sampler,
            check_every=check_every,
            final_denoise=final_denoise,
            memory=memory,
        )
        levels.append(samples)
        band = samples.images if scale is None else _finer(band, samples.images)
    names = ("low_band" if scale is None else f"detail_{scale}" for scale in plan)
    facts = facts_of(denoiser, sampler, seed, first_image, final_denoise)
    return MultiScaleSamples(np.asarray(band), tuple(levels), tuple(names), schedule, facts)


def _for_details(schedule, scale):
    """The schedule of the details of a scale: the same steps at lower noise levels."""
    halved = 2 ** (scale + 1)
    return dataclasses.replace(
        schedule,
        sigma_0=schedule.sigma_0 / halved,
        sigma_end=schedule.sigma_end / halved,
        init_mean=0.0,
    )


def _noise(seed, level, shape):
    def noise(images, t):
        return keyed_normal(seed, images, level * _DRAWS_OF_A_LEVEL + t, shape)

    return noise


def _finer(band, details):
    return ops.convert_to_numpy(haar_synthesize(band, ops.convert_to_tensor(details)))


def _share(progress, index, levels):
    """The progress of one level as part of all."""
    return lambda done, total: progress((index * total + done) / levels, total)


def _missing_scales(low_band, shape, num_scales):
    """How many scales of details a given low band lacks."""
    count, height, width, channels = shape
    for missing in range(1, num_scales + 1):
        if low_band.shape == (count, height >> missing, width >> missing, channels):
            return missing
    raise InputError(
        f"received a low band of shape {low_band.shape}, expected images {shape} with a height and "
        f"width divided by 2^k, k from 1 to {num_scales}"
    )
