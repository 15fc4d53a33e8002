"""What a sampler found."""

import dataclasses
import itertools

import numpy as np


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


def concatenate_samples(parts):
    """Several `Samples` as one."""
    return Samples(
        images=np.concatenate([part.images for part in parts]),
        steps=np.concatenate([part.steps for part in parts]),
        sigma=np.concatenate([part.sigma for part in parts]),
        status=tuple(itertools.chain.from_iterable(part.status for part in parts)),
    )
