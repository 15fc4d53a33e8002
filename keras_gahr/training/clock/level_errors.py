"""How well a denoiser does on its training images and on others, at a few noise levels."""

import dataclasses

import numpy as np

from keras_gahr.baselines import EmpiricalBayes
from keras_gahr.datasets.arrays import some_places, take
from keras_gahr.denoisers import Inference
from keras_gahr.noise import keyed_normal
from keras_gahr.psnr import psnr_of_any

_LARGEST_COPY = 2**28
"""Pixel values of a training set beyond which the distance to the copy is not asked for."""


@dataclasses.dataclass(frozen=True, eq=False)
class Errors:
    """What a look finds at each of S noise levels.

    Args:
        train, test: float64 (S, images): |D(y) - x|^2 / d.
        train_psnr, test_psnr: float64 (S, images), in dB.
        copy: float64 (S,): |D(y) - D_copy(y)|^2 over |y - D_copy(y)|^2 of test images, where D_copy is
            the optimal denoiser of the training set; NaN without test images or for too large a set.
    """

    train: np.ndarray
    test: np.ndarray
    train_psnr: np.ndarray
    test_psnr: np.ndarray
    copy: np.ndarray


class LevelErrors:
    """Measures `Errors` of the same images with the same noise again and again.

    Args:
        train_images: (N, H, W, C), uint8 or floats.
        test_images: the same; may be empty.
        sigmas: noise levels, in units of [0, 1].
        most: images of each set that are measured.
        seed: of the noise, and of their choice.
    """

    def __init__(self, train_images, test_images, sigmas, most, seed):
        self.sigmas = sigmas
        self._train_images = train_images
        self._sets = [
            take(images, some_places(len(images), most, seed), limits=None)
            for images in (train_images, test_images)
        ]
        count = max(map(len, self._sets))
        self._noise = keyed_normal(seed, range(count), 0, train_images.shape[1:])
        self._copies = None

    def measure(self, inference):
        """The `Errors` of the denoiser of an `Inference`."""
        train, test = self._sets
        trained, tested = (
            np.stack([self._denoised(inference, clean, sigma) for sigma in self.sigmas])
            for clean in self._sets
        )
        copy = [
            np.nan if copied is None else _distance(denoised, copied, self._noisy(test, sigma))
            for sigma, copied, denoised in zip(self.sigmas, self._copied(), tested, strict=True)
        ]
        return Errors(
            train=_mean_squares(trained, train),
            test=_mean_squares(tested, test),
            train_psnr=np.stack([psnr_of_any(denoised, train) for denoised in trained]),
            test_psnr=np.stack([psnr_of_any(denoised, test) for denoised in tested]),
            copy=np.array(copy),
        )

    def _denoised(self, inference, clean, sigma):
        told = sigma if inference.denoiser.told else None
        return inference.denoise(self._noisy(clean, sigma), sigma=told) if len(clean) else clean

    def _noisy(self, clean, sigma):
        return clean + np.float32(sigma) * self._noise[: len(clean)]

    def _copied(self):
        """What the optimal denoiser of the training set makes of the noisy test images, at each level.

        It does not change: it is computed once.
        """
        if self._copies is None:
            tests = self._sets[1]
            if not len(tests) or self._train_images.size > _LARGEST_COPY:
                self._copies = [None] * len(self.sigmas)
            else:
                copy = EmpiricalBayes(self._train_images, sigma=self.sigmas[0])
                inference = Inference(copy)
                self._copies = []
                for sigma in self.sigmas:
                    copy.set_sigma(sigma)
                    inference.refold()
                    self._copies.append(inference.denoise(self._noisy(tests, sigma)))
        return self._copies


def _mean_squares(denoised, clean):
    """|D(y) - x|^2 / d, float64 (S, images)."""
    return np.square(denoised - clean, dtype=np.float64).mean(axis=(2, 3, 4))


def _distance(denoised, copied, noisy):
    apart, whole = (
        np.square(image - copied, dtype=np.float64).sum() for image in (denoised, noisy)
    )
    return apart / max(whole, np.finfo(float).tiny)
