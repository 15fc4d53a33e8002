"""Principal components of what a denoiser makes of one image under many noises.

D(x + sigma z) for many z are images that the denoiser takes x for. Their principal components are
directions in which it is uncertain, found without derivatives.
"""

import dataclasses

import numpy as np

from keras_gahr.denoisers import Inference, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.noise import check_seed, keyed_normal
from keras_gahr.result import Result


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PosteriorComponents(Result):
    """Principal components of denoised images, the largest first.

    Attributes:
        mean: of the denoised images, (height, width, channels) float64.
        variances: (k,) along the components.
        components: (k, height, width, channels) float64, orthonormal.
        total_variance: of the denoised images, over all directions.
    """

    mean: np.ndarray
    variances: np.ndarray
    components: np.ndarray
    total_variance: float


def posterior_components(denoiser, clean, sigma, draws=256, count=16, seed=0, batch_size=32):
    """PCA of D(x + sigma z) over independent standard normal z.

    Args:
        denoiser: see `as_denoiser`; with as many channels out as in.
        clean: x, `(height, width, channels)`.
        sigma: noise level, in units of [0, 1].
        draws: number of z, more than `count`.
        count: number of components.
        seed: of z.
        batch_size: images computed at once.

    Returns:
        `PosteriorComponents`.

    Raises:
        InputError: if the numbers or the image do not fit.
    """
    check_seed(seed)
    clean = np.asarray(clean, np.float32)
    denoiser = as_denoiser(denoiser)
    denoiser.check_shape((1, *clean.shape))
    if not 1 <= count < draws or count > clean.size:
        raise InputError(
            f"received {count} components of {draws} draws, expected more draws than components, "
            f"and at most {clean.size} components"
        )
    noise = keyed_normal(seed, range(draws), 0, clean.shape)
    denoised = Inference(denoiser, batch_size).denoise(clean + np.float32(sigma) * noise)
    samples = denoised.reshape(draws, -1).astype(np.float64)
    mean = samples.mean(axis=0)
    _, lengths, components = np.linalg.svd(samples - mean, full_matrices=False)
    variances = lengths**2 / (draws - 1)
    return PosteriorComponents(
        mean.reshape(clean.shape),
        variances[:count],
        components[:count].reshape(count, *clean.shape),
        float(variances.sum()),
    )
