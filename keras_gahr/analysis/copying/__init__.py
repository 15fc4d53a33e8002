"""Whether samples copy training images, by the measures in use, each with an interval and its null."""

from .low_dimension import CopiesByDimension, copies_by_dimension
from .measure import Estimate, Measure
from .report import CopyingReport, copying_report

__all__ = [
    "CopiesByDimension",
    "CopyingReport",
    "Estimate",
    "Measure",
    "copies_by_dimension",
    "copying_report",
]
