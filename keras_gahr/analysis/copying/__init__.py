"""Whether samples copy training images, by the measures in use, each with an interval and its null."""

from .measure import Estimate, Measure
from .report import CopyingReport, copying_report

__all__ = ["CopyingReport", "Estimate", "Measure", "copying_report"]
