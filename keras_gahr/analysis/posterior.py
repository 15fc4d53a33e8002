"""Principal components of what a denoiser makes of one image under many noises.

D(x + sigma z) for many z are images that the denoiser takes x for. Their principal components are
directions in which it is uncertain, found without derivatives.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NEARLY_CLEAN
from keras_gahr.datasets.stacks import as_one
from keras_gahr.denoisers import DenoiserLike, Inference, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.noise import check_seed, check_whole, keyed_normal

from .saved_numbers import SavedNumbers, files_called


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PosteriorComponents(SavedNumbers):
    """Principal components of denoised images, the largest first.

    Attributes:
        mean: of the denoised images, (height, width, channels) float64.
        variances: (k,) along the components.
        components: (k, height, width, channels) float64, orthonormal.
        total_variance: of the denoised images, over all directions.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> found = kg.analysis.posterior_components(denoiser, np.full((8, 8), 0.5), 0.1, draws=8, count=2)
        >>> found.mean.shape, found.variances.shape
        ((8, 8, 1), (2,))
    """

    FILES: ClassVar[tuple[str, ...]] = files_called("posterior")

    mean: np.ndarray
    variances: np.ndarray
    components: np.ndarray
    total_variance: float

    @property
    def shares(self) -> np.ndarray:
        """The parts of the total variance along the components, (k,); 0 where there is none."""
        return self.variances / (self.total_variance or 1.0)

    def numbers(self) -> dict[str, Any]:
        """The variances, as JSON has them."""
        return {
            "components": len(self.variances),
            "total_variance": self.total_variance,
            "variances": self.variances.tolist(),
            "shares": self.shares.tolist(),
        }


def posterior_components(
    denoiser: DenoiserLike,
    clean: ArrayLike,
    sigma: float,
    draws: int = 256,
    count: int = 16,
    seed: int = 0,
    batch_size: int = 32,
) -> PosteriorComponents:
    """PCA of D(x + sigma z) over independent standard normal z.

    Args:
        denoiser: see `as_denoiser`; with as many channels out as in.
        clean: x, an image (H, W) or (H, W, C): uint8 in 0..255, or floats in [0, 1].
        sigma: noise level, in units of [0, 1].
        draws: number of z, more than `count`.
        count: number of components.
        seed: of z.
        batch_size: images computed at once.

    Returns:
        `PosteriorComponents`.

    Raises:
        InputError: if the numbers or the image do not fit.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> from keras_gahr.analysis import posterior_components
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> clean = np.full((8, 8), 0.5)
        >>> posterior_components(denoiser, clean, 0.1, draws=8, count=2).components.shape
        (2, 8, 8, 1)
    """
    seed = check_seed(seed)
    denoiser = as_denoiser(denoiser)
    clean = as_one(clean, denoiser.input_channels, NEARLY_CLEAN)
    denoiser.check_shape((1, *clean.shape))
    draws = check_whole(draws, "draws", 2)
    count = check_whole(count, "count", 1)
    sigma = denoiser.check_sigma(sigma)
    if not 1 <= count < draws or count > clean.size:
        raise InputError(
            f"received {count} components of {draws} draws, expected more draws than components, "
            f"and at most {clean.size} components"
        )
    noise = keyed_normal(seed, range(draws), 0, clean.shape)
    noisy = clean + np.float32(sigma) * noise
    denoised = Inference(denoiser, batch_size).denoise(noisy, sigma=sigma)
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
