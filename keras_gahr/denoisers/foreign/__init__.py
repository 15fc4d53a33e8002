"""Networks of others, with their own ways of being told the noise level, as denoisers."""

from .foreign_denoiser import FixedLevel, ForeignDenoiser
from .schedule import EDM, AlphaBars, FlowTime, Schedule
from .wrapping import wrap

__all__ = ["EDM", "AlphaBars", "FixedLevel", "FlowTime", "ForeignDenoiser", "Schedule", "wrap"]
