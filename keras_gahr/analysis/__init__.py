"""What denoisers do: Jacobians and eigenbases, similarity and memorization, PSNR curves."""

import keras_gahr.before_keras  # noqa: F401
from keras_gahr.baselines.bases import (
    dct_coefficients,
    dct_image,
    wavelet_coefficients,
    wavelet_image,
)

from .calibration import Calibration, calibrate, read_sides
from .comparison import Comparison, compare
from .copying import CopiesByDimension, CopyingReport, copies_by_dimension, copying_report
from .density import DENSITY_METHODS, DensityComparison, LogDensity, log_density
from .dimension import LocalDimension, local_dimension
from .eigenbases_by_sigma import eigenbases
from .eigenvectors import METHODS, Eigenbasis, eigenbasis, exact_cost
from .error_parts import BiasVariance, bias_variance
from .explanation import Explanation, explain
from .features import Features, as_features
from .jacobian import Jacobian, Linearizer
from .jacobian_products import Jacobians
from .jacobian_statistics import Statistics, matrix_statistics, oracle_shrinkage, probe_statistics
from .kernel_distances import kernel_distance
from .known_noise import NoiseCalibration, noise_calibration
from .memorization import MemorizationReport, memorization_report
from .nearest_patches import PatchSources, patch_sources
from .noise_levels import NoiseEstimates, noise_level
from .oracle import oracle_psnr
from .posterior import PosteriorComponents, posterior_components
from .psnr_curves import PSNRCurve, psnr_curve
from .psnr_files import PSNRCurves
from .risk import Risk, sure
from .similarity import Closest, closest, closest_features, paired_similarity, similarity_matrix
from .slopes import Slope, fit_slope, optimal_slope
from .spectrum import CountAbove, SpectralDensity, spectral_density
from .tangent import principal_angles, tangent_space
from .traces import TRACE_METHODS, Traces, trace

__all__ = [
    "DENSITY_METHODS",
    "METHODS",
    "TRACE_METHODS",
    "BiasVariance",
    "Calibration",
    "Closest",
    "Comparison",
    "CopiesByDimension",
    "CopyingReport",
    "CountAbove",
    "DensityComparison",
    "Eigenbasis",
    "Explanation",
    "Features",
    "Jacobian",
    "Jacobians",
    "Linearizer",
    "LocalDimension",
    "LogDensity",
    "MemorizationReport",
    "NoiseCalibration",
    "NoiseEstimates",
    "PSNRCurve",
    "PSNRCurves",
    "PatchSources",
    "PosteriorComponents",
    "Risk",
    "Slope",
    "SpectralDensity",
    "Statistics",
    "Traces",
    "as_features",
    "bias_variance",
    "calibrate",
    "closest",
    "closest_features",
    "compare",
    "copies_by_dimension",
    "copying_report",
    "dct_coefficients",
    "dct_image",
    "eigenbases",
    "eigenbasis",
    "exact_cost",
    "explain",
    "fit_slope",
    "kernel_distance",
    "local_dimension",
    "log_density",
    "matrix_statistics",
    "memorization_report",
    "noise_calibration",
    "noise_level",
    "optimal_slope",
    "oracle_psnr",
    "oracle_shrinkage",
    "paired_similarity",
    "patch_sources",
    "posterior_components",
    "principal_angles",
    "probe_statistics",
    "psnr_curve",
    "read_sides",
    "similarity_matrix",
    "spectral_density",
    "sure",
    "tangent_space",
    "trace",
    "wavelet_coefficients",
    "wavelet_image",
]
