"""The mean and spread of the images that fit what was measured."""

import dataclasses

import numpy as np

from keras_gahr.errors import InputError

from .sampler import sample
from .samples import Samples


@dataclasses.dataclass(frozen=True)
class PosteriorAverage:
    """Statistics of samples given the same measurement.

    Args:
        mean: `(height, width, channels)`; it tends to the image of least mean squared error.
        std: the same for the standard deviation of each pixel (of the population estimated by the
            samples); 0 for a single sample.
        samples: the `Samples`; those that diverged are in neither.
    """

    mean: np.ndarray
    std: np.ndarray
    samples: Samples


def posterior_average(denoiser, shape, repeat, measurement=None, measured=None, **options):
    """Draws several images given one measurement, in batches, and averages them.

    Args:
        denoiser, shape, measurement, measured: see `sample`; `measured` has a leading axis of 1.
        repeat: how many images to draw.
        **options: further ones of `sample`, such as `seed`, `schedule` and `batch_size`.

    Raises:
        InputError: for what `sample` refuses, measurements of several images, or if every sample
            diverged.
    """
    if measured is not None and len(measured) != 1:
        raise InputError(
            f"received measurements of {len(measured)} images, expected one: average them one by one"
        )
    samples = sample(
        denoiser, shape, count=repeat, measurement=measurement, measured=measured, **options
    )
    images = samples.images[[status != "diverged" for status in samples.status]]
    if not len(images):
        raise InputError(
            f"received {repeat} samples that all diverged: choose a larger beta or a smaller sigma_0"
        )
    images = images.astype(np.float64)
    return PosteriorAverage(
        mean=images.mean(axis=0).astype(np.float32),
        std=images.std(axis=0, ddof=min(1, len(images) - 1)).astype(np.float32),
        samples=samples,
    )
