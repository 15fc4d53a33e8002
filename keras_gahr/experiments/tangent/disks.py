"""Disks: five parameters, and a network that finds their five directions (arXiv 2310.02557, figure 5)."""

from ..scales import scales_of
from .experiment import TangentFamily, TangentSettings


class Disks(TangentFamily):
    """Figure 5."""

    name = "disks"
    title = "Disks: a five-dimensional family"
    question = "Does a network find the five directions in which images of disks can change?"
    figures = "Fig. 5"
    dimension = 5
    paper_factors = dict(
        enumerate((1.177, 1.067, 1.004, 0.999, 0.945, 0.674, 0.552, 0.390, 0.304, 0.278), start=1)
    )
    scales = scales_of(name, TangentSettings)
