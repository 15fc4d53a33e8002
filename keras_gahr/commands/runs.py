"""`gahr runs`."""

from pathlib import Path
from typing import Annotated

import typer

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def runs(
    folder: Annotated[Path, typer.Argument(help="Where to look, with all folders in it.")] = Path(
        "."
    ),
):
    """List trainings: how far they are, how good, and which were interrupted.

    The PSNR is that of the last epoch, also where the model that is kept is that of an earlier one.
    """
    import time

    from keras_gahr.errors import InputError
    from keras_gahr.runs import find_runs

    from .table import print_table

    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give one that holds run directories")
    found = find_runs(folder)
    if not found:
        typer.echo(f"no runs in {folder}")
        return
    now = time.time()
    print_table(
        ("run", "epochs", "train dB", "test dB", "age", "state"),
        [
            (
                str(run.path),
                "-" if run.epochs is None else f"{run.epoch}/{run.epochs}",
                _decibel(run.train_psnr),
                _decibel(run.test_psnr),
                _age(now - run.changed),
                run.state,
            )
            for run in found
        ],
    )


def _decibel(value):
    return "-" if value is None else f"{value:.2f}"


def _age(seconds):
    for unit, name in _UNITS:
        if seconds >= unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{max(seconds, 0):.0f} s"
