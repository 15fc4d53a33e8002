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
        status: for each image "converged", "max_steps" or "diverged"; or "noise_unseen" if the
            sampler ended because the denoiser hardly saw the noise it started from, so that the
            image is still noise.
        first_sigma: noise level that the denoiser saw in the initial image, about `sigma_0` if it is
            any good.
    """

    images: np.ndarray
    steps: np.ndarray
    sigma: np.ndarray
    status: tuple[str, ...]
    first_sigma: np.ndarray


def concatenate_samples(parts):
    """Several `Samples` as one."""
    return Samples(
        images=np.concatenate([part.images for part in parts]),
        steps=np.concatenate([part.steps for part in parts]),
        sigma=np.concatenate([part.sigma for part in parts]),
        status=tuple(itertools.chain.from_iterable(part.status for part in parts)),
        first_sigma=np.concatenate([part.first_sigma for part in parts]),
    )
