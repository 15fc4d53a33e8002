"""Images from the prior in a denoiser, with or without linear measurements of them."""

from .ascent import AscentSchedule, Samples, sample
from .measurements import Measurement, Synthesis
from .outputs import check_samples_output, save_samples

__all__ = [
    "AscentSchedule",
    "Measurement",
    "Samples",
    "Synthesis",
    "check_samples_output",
    "sample",
    "save_samples",
]
