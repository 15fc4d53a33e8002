"""Bars of rich, also in notebooks that have no widgets."""

from __future__ import annotations

import importlib.util
import io
import time

from rich.console import Console
from rich.progress import Progress, ProgressColumn


def progress_bar(
    *columns: str | ProgressColumn, console: Console, transient: bool = False
) -> Progress:
    """A bar that is shown from `start` to `stop`.

    Args:
        columns: what it shows; see rich.
        console: where.
        transient: whether it vanishes in the end.
    """
    # Without ipywidgets rich warns and shows nothing.
    without_widgets = console.is_jupyter and importlib.util.find_spec("ipywidgets") is None
    kind = _CellOutput if without_widgets else Progress
    return kind(*columns, console=console, transient=transient)


class _CellOutput(Progress):
    """A bar that is an output of a notebook's cell, replaced by the next."""

    _INTERVAL = 0.25
    """Seconds between two of them."""

    def start(self):
        from IPython.display import display

        self._last = time.monotonic()
        self._output = display(self._text(), raw=True, display_id=True)

    def update(self, *arguments, **changes):
        super().update(*arguments, **changes)
        if time.monotonic() - self._last >= self._INTERVAL:
            self._last = time.monotonic()
            self._output.update(self._text(), raw=True)

    def stop(self):
        self._output.update({"text/plain": ""} if self.live.transient else self._text(), raw=True)

    def _text(self):
        # Not by the notebook's own console, which makes an output of everything it prints.
        drawn = Console(file=io.StringIO(), width=100, force_terminal=True, force_jupyter=False)
        with drawn.capture() as captured:
            drawn.print(self.get_renderable(), end="")
        return {"text/plain": captured.get()}
