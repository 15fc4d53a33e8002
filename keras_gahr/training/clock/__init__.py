"""When a training generalizes, and when it begins to memorize."""

from .look import Look
from .memorization_clock import MemorizationClock
from .report import ClockReport
from .table import read_clock, write_clock
from .times import generalization_time, memorization_time

__all__ = [
    "ClockReport",
    "Look",
    "MemorizationClock",
    "generalization_time",
    "memorization_time",
    "read_clock",
    "write_clock",
]
