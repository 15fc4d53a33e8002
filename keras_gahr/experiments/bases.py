"""Bases in which a trained network denoises some of its test images, and how its PSNR grows."""

import dataclasses

import numpy as np

from keras_gahr.analysis import Eigenbasis, Linearizer, eigenbasis, psnr_curve, tangent_space
from keras_gahr.analysis.numbers import eigenbasis_numbers
from keras_gahr.baselines import Wiener
from keras_gahr.errors import InputError
from keras_gahr.psnr import add_noise

from .networks import check_halves, check_levels

_EXACT = 1600
"""Values in an image up to which the whole Jacobian is computed: a few seconds to a minute."""

_LEVELS = 7
"""Noise levels through which a slope is fitted."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BasisSettings:
    """What experiments on the geometry of denoising have in common.

    Args:
        size: height and width of the images.
        num_blocks: of the UNet.
        sigma_max: the highest noise level in training; below 1, small networks see the levels that
            are asked about more often.
        sigma: level of the noise at which the bases are taken, in units of [0, 1].
        basis_images: test images whose basis is taken.
        vectors: eigenvectors of each, those with the largest factors.
        slope_low, slope_high: noise levels between which the slope of the PSNR is fitted.
    """

    size: int = 80
    num_blocks: int = 3
    sigma_max: float = 1.0
    sigma: float = 0.15
    basis_images: int = 8
    vectors: int = 250
    slope_low: float = 0.01
    slope_high: float = 0.3

    def sigmas(self):
        """The noise levels of PSNR curves."""
        return np.geomspace(self.slope_low, self.slope_high, _LEVELS)

    def options(self):
        """The options of a training on top of those of `NetworkSettings`."""
        # Left out where it is the default, so that a network is that of other experiments too.
        sigma_max = None if self.sigma_max == 1 else f"{self.sigma_max:g}"
        return {"num_blocks": self.num_blocks, "sigma_max": sigma_max}

    def check(self, test_size):
        """Raises `InputError` if with so many test images no basis or no slope can be measured."""
        check_halves(self, "size")
        for name in ("sigma", "sigma_max"):
            if not 0 < getattr(self, name) <= 1:
                raise InputError(
                    f"received {name} {getattr(self, name):g}, expected a noise level above 0, at "
                    "most 1"
                )
        if not 1 <= self.vectors <= self.size**2:
            raise InputError(
                f"received {self.vectors} vectors, expected 1 to {self.size**2}, the pixels"
            )
        if not 2 <= self.basis_images <= test_size // 2:
            raise InputError(
                f"received {self.basis_images} images to take bases at, expected 2 to "
                f"{test_size // 2}, half the test images"
            )
        check_levels(self.slope_low, self.slope_high)


@dataclasses.dataclass(frozen=True, eq=False)
class ImageBasis:
    """A network's basis at one noisy image.

    Attributes:
        clean: the image, (height, width, channels).
        sigma: level of the noise that was added.
        basis: `Eigenbasis` of the network there.
        tangent: a basis of the tangent space at the clean image, or None.
    """

    clean: np.ndarray
    sigma: float
    basis: Eigenbasis
    tangent: np.ndarray | None

    @property
    def factors(self):
        """The shrinkage factors, descending."""
        return self.basis.shrinkage

    def numbers(self):
        """See `eigenbasis_numbers`."""
        return eigenbasis_numbers(self.basis, self.clean, self.sigma, self.tangent)


def measure_bases(run, settings, seed=0, progress=None):
    """Bases at test images with contrast: a parameter below the noise has no direction to be kept.

    Args:
        run: `FinishedRun`.
        settings: `BasisSettings`.
        seed: of the noise.
        progress: called as progress(images done, images in all).

    Returns:
        A list of `ImageBasis` of the first images whose standard deviation over pixels is above the
        median of the test images.
    """
    test = run.split()[1].as_float()
    first = len(run.dataset) - len(test)
    contrast = test.std(axis=(1, 2, 3))
    chosen = np.flatnonzero(contrast >= np.median(contrast))[: settings.basis_images]
    linearizer = Linearizer(run.denoiser())
    method = "exact" if test[0].size <= _EXACT else "randomized"
    found = []
    for place, index in enumerate(chosen):
        noisy = add_noise(test[index : index + 1], settings.sigma, seed, draw=place)[0]
        options = {"sigma": settings.sigma, "seed": seed}
        basis = eigenbasis(linearizer, noisy, settings.vectors, method, **options)
        tangent = tangent_space(run.dataset, first + int(index))
        found.append(ImageBasis(test[index], settings.sigma, basis, tangent))
        if progress:
            progress(place + 1, len(chosen))
    return found


def measure_curve(run, settings, network):
    """The `PSNRCurve` of test images between the noise levels of the slope.

    Args:
        run: `FinishedRun`.
        settings: `BasisSettings`.
        network: `NetworkSettings`, with the number of images and a seed.
    """
    return _curve(run.denoiser(), run, settings, network)


def measure_linear_curve(run, settings, network):
    """That of the best linear denoiser of the training images, which is told each noise level."""
    return _curve(Wiener.from_images(run.split()[0].images), run, settings, network, told=True)


def _curve(denoiser, run, settings, network, **options):
    images = run.split()[1]
    images = images.subset(min(network.curve_images, len(images)))
    return psnr_curve(denoiser, images, settings.sigmas(), seed=network.seed, **options)


def factors_of(bases):
    """Factors of several images, (images, k)."""
    return np.stack([each.factors for each in bases])
