"""What long work shows of how far it has come."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeAlias, TypeVar

Progress: TypeAlias = Callable[[float, float], object] | bool | None
"""None for a bar in terminals and notebooks, False for none, or a function of (done, total)."""

OnProgress: TypeAlias = Callable[[int, int], object] | None
"""A function of (done, total), or None."""

_P = ParamSpec("_P")
_R = TypeVar("_R")

_PATIENCE = 1.0
"""Seconds before a bar is shown: shorter work needs none."""


def shows_progress(title: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """A decorator of functions with an argument `progress`, which is then always a function.

    Args:
        title: what the bar shows beside it.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def shown(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            given = signature.bind(*args, **kwargs)
            progress = given.arguments.get("progress")
            if callable(progress):
                return function(*args, **kwargs)
            bar = _Bar(title) if progress is None or progress is True else None
            given.arguments["progress"] = _nothing if bar is None else bar
            try:
                return function(*given.args, **given.kwargs)
            finally:
                if bar is not None:
                    bar.stop()

        return shown

    return decorate


def share(progress: Callable[[float, float], object], part: int, parts: int):
    """The progress of one of several equal parts as part of all."""
    return lambda done, total: progress(part + done / total, parts)


def _nothing(done: float, total: float) -> None:
    pass


class _Bar:
    """A bar on standard error, where somebody may look at it."""

    def __init__(self, title: str):
        self.title = title
        self.began = time.monotonic()
        self.bar: Any = None
        self.ended = False

    def __call__(self, done: float, total: float) -> None:
        if self.bar is None and not self.ended and time.monotonic() - self.began > _PATIENCE:
            self._start()
        if self.bar is not None:
            self.bar.update(self.task, completed=done, total=total)

    def _start(self):
        from rich.console import Console
        from rich.errors import LiveError
        from rich.progress import BarColumn, TaskProgressColumn, TimeRemainingColumn

        from .progress_bar import progress_bar

        console = Console(stderr=True)
        if not (console.is_terminal or console.is_jupyter):
            self.ended = True
            return
        columns = ("{task.description}", BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        bar = progress_bar(*columns, console=console, transient=True)
        try:
            bar.start()
        except LiveError:  # Whoever called us shows one of its own.
            self.ended = True
            return
        self.bar, self.task = bar, bar.add_task(self.title, total=None)

    def stop(self) -> None:
        self.ended = True
        if self.bar is not None:
            self.bar.stop()
