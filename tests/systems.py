"""Marks of tests that need what not every system has."""

import os

import pytest

needs_pipes = pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="Windows has no pipes with a name"
)

needs_signals = pytest.mark.skipif(
    os.name == "nt", reason="Windows sends no signals to other processes"
)

needs_peaks = pytest.mark.skipif(
    os.name == "nt", reason="Windows tells the peak of a process' memory in another way"
)


def skip_without_scripts():
    """For fixtures that write a program whose first line says what runs it."""
    if os.name == "nt":
        pytest.skip("Windows starts no programs by their first line")
