"""How much of the error of denoisers trained on disjoint sets they share, and how much is each one's."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import NEARLY_CLEAN, take
from keras_gahr.datasets.stacks import as_stack
from keras_gahr.denoisers import DenoiserLike, as_inference
from keras_gahr.errors import InputError
from keras_gahr.noise import check_seed, check_whole
from keras_gahr.psnr import add_noise

from .saved_numbers import SavedNumbers, files_called


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BiasVariance(SavedNumbers):
    """The mean squared error per pixel of K networks on the same noisy images, split.

    With the mean of the networks m(y) = mean_k D_k(y), the error is exactly `bias + variance`. Both
    hold the same noise, so that what no denoiser can know is in the bias.

    Attributes:
        num_networks: K.
        error: float64 (N,): mean_k |D_k(y) - x|^2 / d for each image.
        bias: float64 (N,): |m(y) - x|^2 / d.
        variance: float64 (N,): mean_k |D_k(y) - m(y)|^2 / d.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import BiasVariance
        >>> found = BiasVariance(2, error=np.array([3.0]), bias=np.array([2.0]), variance=np.array([1.0]))
        >>> found.unbiased_bias, found.unbiased_variance
        (array([1.]), array([2.]))
    """

    FILES: ClassVar[tuple[str, ...]] = files_called("bias_variance")

    num_networks: int
    error: np.ndarray
    bias: np.ndarray
    variance: np.ndarray

    @property
    def unbiased_variance(self) -> np.ndarray:
        """What the variance is in expectation over training sets: K / (K - 1) times it, (N,)."""
        return self.variance * self.num_networks / (self.num_networks - 1)

    @property
    def unbiased_bias(self) -> np.ndarray:
        """The squared bias of the mean over all training sets, `error - unbiased_variance`, (N,)."""
        return self.error - self.unbiased_variance

    def numbers(self) -> dict[str, Any]:
        """Means over the images, as JSON has them."""
        names = ("error", "bias", "variance", "unbiased_bias", "unbiased_variance")
        means = {name: float(getattr(self, name).mean()) for name in names}
        return {"networks": self.num_networks, "images": len(self.error), **means}


def bias_variance(
    denoisers: Sequence[DenoiserLike], images: ArrayLike, sigma: float, seed: int = 0, draw: int = 0
) -> BiasVariance:
    """Splits the error of several networks at one noise level.

    Args:
        denoisers: at least two, of networks trained on disjoint sets; see `as_denoiser`.
        images: clean ones (N, H, W) or (N, H, W, C), in none of the sets: uint8 in 0..255, or floats in
            [0, 1].
        sigma: noise level, in units of [0, 1].
        seed, draw: of the noise; see `keras_gahr.psnr.psnr_at`.

    Returns:
        The `BiasVariance`.

    Raises:
        InputError: for fewer than two networks.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> from keras_gahr.analysis import bias_variance
        >>> sets = np.random.default_rng(0).random((3, 8, 8, 8))
        >>> denoisers = [kg.baselines.Wiener.from_images(each) for each in sets[:2]]
        >>> found = bias_variance(denoisers, sets[2], sigma=0.1)
        >>> np.allclose(found.error, found.bias + found.variance)
        True
    """
    if not isinstance(denoisers, Sequence) or isinstance(denoisers, str) or len(denoisers) < 2:
        raise InputError("received one network or none, expected a list of at least two to compare")
    networks = [as_inference(each) for each in denoisers]
    for network in networks:
        sigma = network.denoiser.check_sigma(sigma)
    images = as_stack(images, limits=NEARLY_CLEAN)
    seed, draw = check_seed(seed), check_whole(draw, "draw", 0)
    # So that every network has the passes that it would have of all images.
    step = math.lcm(*(network.at_once(images.shape) for network in networks))
    parts = []
    for start in range(0, len(images), step):
        clean = take(images, slice(start, start + step), limits=None)
        noisy = add_noise(clean, sigma, seed, draw, first=start)
        parts.append(_split([network.denoise(noisy, sigma=sigma) for network in networks], clean))
    return BiasVariance(len(networks), *np.concatenate(parts, axis=1))


def _split(denoised, images):
    """Error, bias and variance of some images, (3, N)."""
    denoised = [each.astype(np.float64) for each in denoised]
    mean = np.mean(denoised, axis=0)
    return (
        np.mean([_power(d - images) for d in denoised], axis=0),
        _power(mean - images),
        np.mean([_power(d - mean) for d in denoised], axis=0),
    )


def _power(difference):
    """|x|^2 / d for each image."""
    return np.mean(difference**2, axis=(1, 2, 3))
