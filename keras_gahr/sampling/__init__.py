"""Images from the prior in a denoiser, with or without linear measurements of them."""

from .ascent import AscentSchedule
from .measurements import Measurement, Synthesis
from .noise_levels import SPACINGS, NoiseLevels
from .outputs import check_samples_output, save_samples
from .sampler import SAMPLERS, sample
from .samples import Samples

__all__ = [
    "SAMPLERS",
    "SPACINGS",
    "AscentSchedule",
    "Measurement",
    "NoiseLevels",
    "Samples",
    "Synthesis",
    "check_samples_output",
    "sample",
    "save_samples",
]
