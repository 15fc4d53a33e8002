"""What denoisers do: their Jacobians and eigenbases, and what these are compared with."""

from .bases import (
    dct_coefficients,
    dct_image,
    oracle_psnr,
    wavelet_coefficients,
    wavelet_image,
)
from .eigenbasis import METHODS, Eigenbasis, eigenbasis, exact_cost
from .jacobian import Jacobian, Linearizer
from .posterior import PosteriorComponents, posterior_components
from .spectra import add_noise, spectra
from .spectrum import Statistics, matrix_statistics, oracle_shrinkage, probe_statistics
from .tangent import principal_angles, tangent_space

__all__ = [
    "METHODS",
    "Eigenbasis",
    "Jacobian",
    "Linearizer",
    "PosteriorComponents",
    "Statistics",
    "add_noise",
    "dct_coefficients",
    "dct_image",
    "eigenbasis",
    "exact_cost",
    "matrix_statistics",
    "oracle_psnr",
    "oracle_shrinkage",
    "posterior_components",
    "principal_angles",
    "probe_statistics",
    "spectra",
    "tangent_space",
    "wavelet_coefficients",
    "wavelet_image",
]
