"""Denoisers that are computed, not trained: what the networks are compared with.

They are `Denoiser`s, so that they can be sampled from and analysed as networks are, but for images of
one size, and neither bias-free nor homogeneous.
"""

import keras_gahr.before_keras  # noqa: F401

from .empirical_bayes import EmpiricalBayes
from .gaussian_mixture import GaussianMixture
from .local_bayes import LocalBayes
from .masked_bayes import MaskedBayes
from .oracle_thresholding import OracleThresholding
from .wiener import Wiener

__all__ = [
    "EmpiricalBayes",
    "GaussianMixture",
    "LocalBayes",
    "MaskedBayes",
    "OracleThresholding",
    "Wiener",
]
