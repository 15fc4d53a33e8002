"""What a sampler found."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from keras_gahr.result import SavedResult

from .ascent import AscentSchedule
from .multistep import MultistepSchedule
from .noise_levels import NoiseLevels
from .outputs import SAMPLES, write_samples
from .trajectory import TRAJECTORY_FILES, Trajectory

if TYPE_CHECKING:
    from keras_gahr.result import Figure


class SampledImages(SavedResult):
    """What all samples have in common; see `Samples`."""

    FILES: ClassVar[tuple[str, ...]] = (*SAMPLES, *TRAJECTORY_FILES)

    def save(self, folder: str | Path, *, overwrite: bool = False, **facts: Any) -> Path:
        """Writes a folder with samples.png (a sheet of all), samples.npy and sampling.json, as `gahr
        sample` does, and the files of the trajectory if there is one.

        Args:
            folder: written whole or not at all.
            overwrite: whether to replace samples that are there; nothing else is ever replaced.
            **facts: more entries for sampling.json.

        Returns:
            The folder.

        Raises:
            InputError: if it exists, or cannot be written.
        """
        write = functools.partial(write_samples, self, facts=facts)
        return self._save(folder, overwrite, write)

    def plot(self, *, title: str = "") -> Figure:
        """A figure with a sheet of all images."""
        return self._figure(title=title)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Samples(SampledImages):
    """What the sampler found.

    Attributes:
        images: float32 `(count, height, width, channels)`, after the final denoising; not clipped.
        steps: steps taken for each image.
        sigma: noise level |r(y)| / sqrt(d) before the final denoising, for each image.
        status: for each image "converged", "max_steps" or "diverged"; or "noise_unseen" if the
            sampler ended because the denoiser hardly saw the noise it started from, so that the
            image is still noise.
        first_sigma: noise level that the denoiser saw in the initial image, about `sigma_0` if it is
            any good.
        schedule: the one used.
        facts: what else decided which images these are, such as the seed, as plain values.
        trajectory: the steps that were kept, if any.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.sampling import Samples
        >>> images, steps = np.zeros((2, 8, 8, 1)), np.array([80, 1000])
        >>> status, sigma = ("converged", "max_steps"), np.array([0.009, 0.05])
        >>> Samples(images, steps, sigma, status, first_sigma=np.array([1.0, 1.0]))
        Samples(images: float64 (2, 8, 8, 1), 0 to 0; steps: int64 (2,), 80 to 1e+03; sigma: float64 (2,),
          0.009 to 0.05; status: 1 converged, 1 max_steps; first_sigma: float64 (2,), 1 to 1; schedule:
          None)
    """

    images: np.ndarray
    steps: np.ndarray
    sigma: np.ndarray
    status: tuple[str, ...]
    first_sigma: np.ndarray
    schedule: AscentSchedule | MultistepSchedule | NoiseLevels | None = None
    facts: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    trajectory: Trajectory | None = dataclasses.field(default=None, repr=False)

    @property
    def passes(self) -> np.ndarray:
        """Passes of the network for each image: those of its steps, and one that denoises the last image.

        Where the first step tells whether to take it, it is counted even if not. A sampler that looks back
        looks at the first image before.
        """
        looked = self.facts.get("looked_first", False)
        steps = np.maximum(self.steps, 0 if looked else 1)
        return self.facts.get("passes_per_step", 1) * steps + (2 if looked else 1)


def concatenate_samples(parts, **others):
    """Several `Samples` as one, with the other fields given."""
    return Samples(
        images=np.concatenate([part.images for part in parts]),
        steps=np.concatenate([part.steps for part in parts]),
        sigma=np.concatenate([part.sigma for part in parts]),
        status=tuple(itertools.chain.from_iterable(part.status for part in parts)),
        first_sigma=np.concatenate([part.first_sigma for part in parts]),
        **others,
    )
