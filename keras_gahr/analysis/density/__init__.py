"""The density of images under a denoiser, and how certain it is."""

from .comparison import DensityComparison
from .report import DENSITY_METHODS, LogDensity, log_density

__all__ = ["DENSITY_METHODS", "DensityComparison", "LogDensity", "log_density"]
