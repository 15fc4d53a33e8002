"""The density of images under a denoiser, and how certain it is."""

from .comparison import DensityComparison
from .result import LogDensity
from .run import DENSITY_METHODS, log_density

__all__ = ["DENSITY_METHODS", "DensityComparison", "LogDensity", "log_density"]
