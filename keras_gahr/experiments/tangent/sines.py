"""Sines: two parameters (arXiv 2310.02557, figure 20)."""

import dataclasses

from ..bases import BasisSettings
from ..scales import scales_of
from .experiment import TangentFamily, TangentSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class SinesSettings(TangentSettings):
    """Settings of the experiment; see `TangentSettings`."""

    bases: BasisSettings = BasisSettings(sigma=0.08, vectors=26, slope_high=0.1)


class Sines(TangentFamily):
    """Figure 20."""

    name = "sines"
    title = "Sines: a two-dimensional family"
    question = "Does a network keep more than the two directions in which plane waves can change?"
    figures = "Fig. 20"
    dimension = 2
    # Plane waves of all phases and intensities span three: a sine, a cosine and a constant.
    span = 3
    scales = scales_of(name, SinesSettings)
