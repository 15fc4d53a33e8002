"""What a denoiser takes from noisy images, and the traces of its Jacobians there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_gahr.datasets.arrays import NOISY, to_float
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DenoiserLike, as_inference
from keras_gahr.errors import InputError
from keras_gahr.progress import share

from .jacobian import Linearizer
from .traces import trace


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
    """Numbers of N noisy images y of d values; all float64 (N,).

    Attributes:
        dimension: d.
        power: |r(y)|^2.
        trace, trace_error: tr J and its standard error; see `Traces`.
        effective_dimension: |J|_F^2.
    """

    dimension: np.ndarray
    power: np.ndarray
    trace: np.ndarray
    trace_error: np.ndarray
    effective_dimension: np.ndarray


class ResidualTraces:
    """Measures what `Measured` says, at several noise levels with a network compiled once.

    Args:
        denoiser: see `as_denoiser`; its images may be of any size, and of one of grey images in colour:
            each channel is denoised alone, as `keras_gahr.denoise` does.
        options: of `trace`, but for the images and their level.
    """

    def __init__(self, denoiser: DenoiserLike, **options: Any) -> None:
        self.inference = as_inference(denoiser, pad=True)
        self.denoiser = self.inference.denoiser
        self._linearizer = Linearizer(self.denoiser, memory=self.inference.memory)
        self._options = options

    def stacks(self, noisy: Any) -> list[np.ndarray]:
        """Noisy images, or clean ones, as (N, H, W, C), an array for each size.

        Args:
            noisy: one array or a list of arrays; see `as_stack`.

        Raises:
            InputError: for no images, or such as the denoiser cannot take.
        """
        several = noisy if isinstance(noisy, list | tuple) else [noisy]
        if not several:
            raise InputError("received no images, expected at least one")
        stacks = [as_stack(each, self.denoiser.input_channels, NOISY) for each in several]
        for stack in stacks:
            self.inference.check_shape(_apart(stack[:1], self.denoiser).shape)
        return stacks

    def at(
        self,
        stacks: list[np.ndarray],
        sigma: Any,
        progress: Callable[[float, float], object],
        with_trace: bool = True,
    ) -> Measured:
        """What is `Measured` at noisy images.

        Args:
            stacks: what `stacks` returns.
            sigma: the noise level that a denoiser is told, or one for each image; else not used.
            progress: called with (done, total).
            with_trace: whether tr J is wanted; else it is NaN.

        Raises:
            InputError: for levels that it needs and does not get, or if what it returns is not finite.
        """
        count = sum(map(len, stacks))
        levels = self.denoiser.check_levels(sigma, count)
        found, first = [], 0
        for place, stack in enumerate(stacks):
            images = slice(first, first + len(stack))
            given = None if levels is None else levels[images]
            part = share(progress, place, len(stacks))
            found.append(self._of_one_size(stack, given, first, part, with_trace))
            first = images.stop
        return Measured(*np.concatenate(found, axis=1))

    def _of_one_size(self, stack, levels, first, progress, with_trace):
        channels = stack.shape[-1] // _apart(stack[:1], self.denoiser).shape[-1]
        noisy = _apart(to_float(stack, None), self.denoiser)
        levels = None if levels is None else np.repeat(levels, channels)
        residual = self.inference.residual(noisy, sigma=levels)
        if not np.isfinite(residual).all():
            raise InputError("the denoised images are not finite: the denoiser is damaged")
        rows = [np.full(len(noisy), noisy[0].size), _squares(residual)]
        if with_trace:
            first *= channels
            options = {"sigma": levels, "first": first, "progress": progress, **self._options}
            traces = trace(self._linearizer, noisy, **options)
            rows += [traces.value, traces.standard_error**2, traces.effective_dimension]
        else:
            rows += [np.full(len(noisy), np.nan)] * 3
        # The Jacobian of channels that are denoised apart has a block for each.
        found = np.stack(rows).reshape(5, -1, channels).sum(axis=2)
        found[3] = np.sqrt(found[3])
        return found


def _apart(images, denoiser):
    """The channels of colour images as grey ones, for a denoiser of these."""
    if denoiser.input_channels != 1 or images.shape[-1] == 1:
        return images
    return np.moveaxis(images, -1, 1).reshape(-1, *images.shape[1:3], 1)


def _squares(images):
    """|x|^2 of each image, one at a time, so that memory does not grow with their number."""
    return np.array([np.sum(np.square(image, dtype=np.float64)) for image in images])
