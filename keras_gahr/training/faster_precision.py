"""Which number type a training takes, by its first steps in both."""

from __future__ import annotations

import dataclasses
import itertools
import statistics

import numpy as np

from keras_gahr._backend import parallel
from keras_gahr._backend.processor import has_bfloat16
from keras_gahr.datasets import Dataset
from keras_gahr.denoisers import PRECISIONS, Denoiser
from keras_gahr.denoisers.precision import on_cpu
from keras_gahr.errors import InputError

from .config import RunConfig
from .data.batches import TiledBatches
from .estimate import timed_steps
from .keras_settings import keras_in_float32

FASTER = 0.9
"""Part of the time of float32 that bfloat16 must stay below, for a gain that is worth its 8 bits."""

FOLLOWS = 0.02
"""By how much of it the mean loss may differ from that in float32, with the same images and noise."""

_MOST_IMAGES = 16
"""Of a batch on a processor, where more take longer in proportion."""

_LEAST_STEPS, _MOST_STEPS, _SECONDS = 4, 20, 10.0
"""Of each number type; the first step, which compiles, is not timed."""


@dataclasses.dataclass(frozen=True)
class FasterPrecision:
    """The number type that was chosen, and why.

    Args:
        name: one of `PRECISIONS`.
        reason: in words.
        time: of a step in bfloat16, as a part of that in float32; None if it was not measured.
        difference: of the mean losses, as a part of that in float32; None if it was not measured.
    """

    name: str
    reason: str
    time: float | None = None
    difference: float | None = None


def faster_precision(denoiser: Denoiser, images: Dataset, config: RunConfig) -> FasterPrecision:
    """bfloat16, where it is faster on this machine and its loss follows that of float32; else float32.

    Both train a copy of the network for some steps, on the same images with the same noise, for about
    ten seconds each.

    Args:
        denoiser: with its first weights, which stay as they are.
        images: to train on.
        config: a `RunConfig` whose precision is "auto".

    Raises:
        InputError: if several devices train together, which might choose differently.
    """
    if config.devices > 1 or parallel.process()[1] > 1:
        raise InputError(
            "received precision auto for several devices, which might choose differently: give one of "
            f"{', '.join(PRECISIONS)}"
        )
    if on_cpu() and has_bfloat16() is False:
        return FasterPrecision("float32", "this processor has no instructions for bfloat16")
    (wide, wide_losses), (narrow, narrow_losses) = (
        _first_steps(denoiser, images, config, precision) for precision in PRECISIONS
    )
    steps = min(len(wide_losses), len(narrow_losses))
    expected = np.mean(wide_losses[:steps])
    difference = float(abs(np.mean(narrow_losses[:steps]) / expected - 1))
    part = narrow / wide
    chosen = "mixed_bfloat16" if part < FASTER and difference < FOLLOWS else "float32"
    reason = (
        f"a step in bfloat16 takes {part:.2f} of the time of one in float32, and its loss differs by "
        f"{difference:.2%} over {steps} steps"
    )
    return FasterPrecision(chosen, reason, part, difference)


@keras_in_float32()
def _first_steps(denoiser, images, config, precision):
    """Seconds of a step, and the losses of the first ones."""
    settings = dataclasses.replace(config.settings(), precision=precision)
    most = _MOST_IMAGES if on_cpu() else settings.batch_size
    batches = TiledBatches(
        images.images, settings.images_per_epoch, min(most, settings.batch_size), settings.seed
    )
    seconds, losses = [], []
    steps = timed_steps(denoiser, batches, settings)
    for taken, loss in itertools.islice(steps, _MOST_STEPS):
        seconds.append(taken)
        losses.append(loss)
        if len(losses) >= _LEAST_STEPS and sum(seconds) > _SECONDS:
            break
    return statistics.median(seconds[1:]), losses
