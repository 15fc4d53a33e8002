"""Linear measurements, one in each file."""

from .measurement import Measurement
from .synthesis import Synthesis

__all__ = ["Measurement", "Synthesis"]
