"""Images from the prior in a denoiser, with or without linear measurements of them."""

from .ascent import AscentSchedule
from .measurements import Measurement, Synthesis
from .multi_scale import MultiScaleSamples, sample_multi_scale
from .noise_levels import SPACINGS, NoiseLevels
from .outputs import check_samples_output, save_samples
from .sampler import SAMPLERS, prepare, sample
from .samples import Samples
from .trajectory import Trajectory

__all__ = [
    "SAMPLERS",
    "SPACINGS",
    "AscentSchedule",
    "Measurement",
    "MultiScaleSamples",
    "NoiseLevels",
    "Samples",
    "Synthesis",
    "Trajectory",
    "check_samples_output",
    "prepare",
    "sample",
    "sample_multi_scale",
    "save_samples",
]
