"""Eigenbases of a denoiser at one clean image under noise of several levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NEARLY_CLEAN
from keras_gahr.datasets.stacks import as_one
from keras_gahr.denoisers import DenoiserLike
from keras_gahr.noise import check_levels, check_seed
from keras_gahr.psnr import add_noise

from .eigenvectors import Eigenbasis, eigenbasis
from .jacobian import Linearizer, as_linearizer


def eigenbases(
    denoiser: DenoiserLike | Linearizer,
    clean: ArrayLike,
    sigmas: Sequence[float],
    count: int = 64,
    method: str = "randomized",
    *,
    seed: int = 0,
    **options: Any,
) -> list[Eigenbasis]:
    """How the shrinkage factors change with the noise.

    Args:
        denoiser: see `as_denoiser`, or a `Linearizer`.
        clean: x, an image (H, W) or (H, W, C): uint8 in 0..255, or floats in [0, 1].
        sigmas: noise levels, in units of [0, 1]; 0 is the clean image.
        seed: of the noise, which is the same at every sigma but for its scale, and of what is random in
            the method.
        count, method, options: see `eigenbasis`.

    Returns:
        A list of one `Eigenbasis` for each sigma.

    Raises:
        InputError: as `eigenbasis`, or without noise levels.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> clean = np.full((8, 8), 0.5)
        >>> found = kg.analysis.eigenbases(denoiser, clean, [0.1, 0.5], 4, "exact")
        >>> [len(basis.shrinkage) for basis in found]
        [4, 4]
    """
    sigmas = check_levels(sigmas, or_none=True)
    seed = check_seed(seed)
    linearizer = as_linearizer(denoiser)
    clean = as_one(clean, linearizer.denoiser.input_channels, NEARLY_CLEAN)[None]
    return [
        eigenbasis(linearizer, noisy, count, method, sigma=sigma, seed=seed, **options)
        for sigma in sigmas
        for noisy in add_noise(clean, sigma, seed)
    ]
