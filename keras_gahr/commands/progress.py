"""The progress bar of everything but training."""

import contextlib


@contextlib.contextmanager
def progress_bar(title, counted=True):
    """Yields a function of (done, total, text=title) that moves a bar on standard error.

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
        yield lambda done, total, text=title: bar.update(
            task, completed=done, total=total, description=text
        )


@contextlib.contextmanager
def sweep_bar():
    """Yields a function of (done, total, labels) that moves a bar for all trainings of a sweep.

    Without a terminal it prints a line whenever another training is done or begins.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    last = None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.1f}/{task.total:g} trainings"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("trainings", total=1)

        def move(done, total, labels):
            nonlocal last
            running = ", ".join(labels) or "trainings"
            bar.update(task, completed=done, total=total, description=running)
            if not console.is_terminal and (now := (int(done), tuple(labels))) != last:
                console.print(f"{int(done)} of {total} trainings done; {running}", highlight=False)
                last = now

        yield move
