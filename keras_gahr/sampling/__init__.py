"""Images from the prior in a denoiser, with or without linear measurements of them."""

import keras_gahr.before_keras  # noqa: F401

from .ascent import AscentSchedule
from .measurements import Measurement, Synthesis
from .multi_scale import MultiScaleSamples, sample_multi_scale
from .multistep import MultistepSchedule
from .noise_levels import SPACINGS, NoiseLevels
from .sampler import SAMPLERS, prepare, sample
from .samples import Samples
from .trajectory import Trajectory

__all__ = [
    "SAMPLERS",
    "SPACINGS",
    "AscentSchedule",
    "Measurement",
    "MultiScaleSamples",
    "MultistepSchedule",
    "NoiseLevels",
    "Samples",
    "Synthesis",
    "Trajectory",
    "prepare",
    "sample",
    "sample_multi_scale",
]
