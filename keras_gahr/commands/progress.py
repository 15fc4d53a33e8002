"""The progress bar of everything but training."""

import contextlib


@contextlib.contextmanager
def progress_bar(title, counted=True):
    """Yields a function of (done, total) that moves a bar on standard error.

    Args:
        title: what the bar shows beside it.
        counted: whether to show the numbers, or a percentage.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TimeRemainingColumn,
    )

    numbers = MofNCompleteColumn() if counted else TaskProgressColumn()
    columns = ("{task.description}", BarColumn(), numbers, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
