"""Training runs on disk: found, described, compared, reported on."""

from .find import Run, find_runs

__all__ = ["Run", "find_runs"]
