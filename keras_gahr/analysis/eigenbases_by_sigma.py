"""Eigenbases of a denoiser at one clean image under noise of several levels."""

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.noise import check_seed
from keras_gahr.psnr import add_noise

from .eigenvectors import eigenbasis
from .jacobian import Linearizer


def eigenbases(denoiser, clean, sigmas, count=64, method="randomized", *, seed=0, **options):
    """How the shrinkage factors change with the noise.

    Args:
        denoiser: a `Denoiser` or a `Linearizer`.
        clean: x, `(height, width, channels)`.
        sigmas: noise levels, in units of [0, 1].
        seed: of the noise, which is the same at every sigma but for its scale, and of what is random in
            the method.
        count, method, options: see `eigenbasis`.

    Returns:
        A list of one `Eigenbasis` for each sigma.

    Raises:
        InputError: as `eigenbasis`, or without noise levels.
    """
    if not sigmas:
        raise InputError("received no noise levels, expected at least one, such as 25/255")
    check_seed(seed)
    clean = np.asarray(clean, np.float32)[None]
    linearizer = denoiser if isinstance(denoiser, Linearizer) else Linearizer(denoiser)
    return [
        eigenbasis(
            linearizer, add_noise(clean, sigma, seed)[0], count, method, seed=seed, **options
        )
        for sigma in sigmas
    ]
