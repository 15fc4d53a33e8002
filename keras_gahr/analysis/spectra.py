"""Eigenbases of a denoiser at one clean image under noise of several levels."""

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.noise import check_seed, keyed_normal

from .eigenbasis import eigenbasis
from .jacobian import Linearizer


def add_noise(clean, sigma, seed=0):
    """One image with noise that is the same at every sigma but for its scale.

    Args:
        clean: x, `(height, width, channels)`.
        sigma: noise level, in units of [0, 1].
        seed: of the noise.
    """
    noise = keyed_normal(check_seed(seed), [0], 0, np.shape(clean))[0]
    return np.asarray(clean, np.float32) + np.float32(sigma) * noise


def spectra(denoiser, clean, sigmas, count=64, method="randomized", *, seed=0, **options):
    """How the shrinkage factors change with the noise.

    Args:
        denoiser: a `Denoiser` or a `Linearizer`.
        clean: x, `(height, width, channels)`.
        sigmas: noise levels, in units of [0, 1].
        seed: of the noise, see `add_noise`, and of what is random in the method.
        count, method, options: see `eigenbasis`.

    Returns:
        A list of one `Eigenbasis` for each sigma.

    Raises:
        InputError: as `eigenbasis`, or without noise levels.
    """
    if not sigmas:
        raise InputError("received no noise levels, expected at least one, such as 25/255")
    linearizer = denoiser if isinstance(denoiser, Linearizer) else Linearizer(denoiser)
    return [
        eigenbasis(linearizer, add_noise(clean, sigma, seed), count, method, seed=seed, **options)
        for sigma in sigmas
    ]
