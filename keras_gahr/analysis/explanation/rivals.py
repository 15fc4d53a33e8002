"""The denoisers in closed form that a trained one is held against."""

import numpy as np

from keras_gahr.baselines import EmpiricalBayes, LocalBayes, MaskedBayes, OracleThresholding, Wiener
from keras_gahr.baselines.baseline import Baseline
from keras_gahr.baselines.wiener import principal_components
from keras_gahr.datasets.arrays import spread_places, take
from keras_gahr.denoisers.inference import CurrentInference

MEANING = {
    "copy": "empirical Bayes: the optimum if there were no images but the training images",
    "gaussian": "Wiener: the optimum for Gaussian images of the training images' mean and covariance",
    "local": "ELS: the optimum of one who sees a square of pixels and does not know where it lies",
    "same place": "LS: the optimum of one who sees a square of pixels and knows where it lies",
    "masked": "the optimum of one who sees, for each pixel, those pixels that matter to the Wiener filter",
    "oracle": "the best gains in the basis of cosines, of one who knows the clean image",
    "teacher": "the optimum for the law that the images are drawn from",
}
"""What rivals are, by name."""

MADE = ("copy", "gaussian", "local", "same place", "masked", "oracle")
"""Those that `rivals_of` makes. The oracle alone does not know the training images."""

_FIRST_LEVEL = 0.1


class Rival:
    """A denoiser that is given one noise level after the other.

    Args:
        denoiser: a `Baseline`, whose level is set if it does not estimate it, or any other `Denoiser`.
        batch_size: images computed at once.
    """

    def __init__(self, denoiser, batch_size=32):
        self.denoiser = denoiser
        # An oracle takes the clean image before the noisy one.
        self.knows_clean = denoiser.input_channels != denoiser.output_channels
        self._current = CurrentInference(batch_size)

    def denoise(self, noisy, sigma, clean=None):
        """D(y) at a noise level, float32 (N, H, W, C); an oracle is given the clean images, too."""
        denoiser = self.denoiser
        if isinstance(denoiser, Baseline) and denoiser.residual_layer.sigma is not None:
            denoiser.set_sigma(sigma)
        if clean is not None and self.knows_clean:
            noisy = np.concatenate([clean, noisy], axis=-1)
        return self._current.of(denoiser).denoise(noisy, sigma=sigma)

    def sampled(self):
        """The denoiser that a sampler takes: one that estimates the noise level where it is not told it."""
        denoiser = self.denoiser
        return denoiser.estimating() if isinstance(denoiser, Baseline) else denoiser


def spread_out(images, most):
    """So many images of a set, evenly spread over it, float32."""
    return take(images, spread_places(len(images), most), limits=None)


def rivals_of(train_images, few, patch):
    """The rivals `MADE`, by name.

    Args:
        train_images: (N, H, W, C).
        few: those that the "local" one knows, whose time grows with their number and with the square of
            the number of pixels.
        patch: see `LocalBayes`.
    """
    mean, vectors, variances = principal_components(train_images)
    return {
        "copy": EmpiricalBayes(train_images, sigma=_FIRST_LEVEL),
        "gaussian": Wiener(mean, vectors, variances, sigma=_FIRST_LEVEL),
        "local": LocalBayes(few, patch, "equivariant", sigma=_FIRST_LEVEL),
        "same place": LocalBayes(train_images, patch, "local", sigma=_FIRST_LEVEL),
        "masked": MaskedBayes(train_images, sigma=_FIRST_LEVEL, components=(vectors, variances)),
        "oracle": OracleThresholding(
            train_images.shape[1:], "dct", "shrinkage", sigma=_FIRST_LEVEL
        ),
    }
