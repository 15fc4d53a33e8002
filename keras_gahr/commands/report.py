"""`gahr report`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import OverwriteOption


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run directories of `gahr train`, or folders that hold some."),
    ],
    out: Annotated[
        Path,
        typer.Option(help="Folder for report.html, report.md, numbers.json and pictures."),
    ],
    overwrite: OverwriteOption = False,
):
    """Make a page of trainings: curves, PSNR over noise levels, train-test gaps, what differs.

    report.html is one file that holds everything and loads nothing.
    """
    from keras_gahr.backend_choice import choose_backend

    choose_backend()
    from keras_gahr.report.page import check_report_output, write_report
    from keras_gahr.runs.facts import read_runs
    from keras_gahr.runs.report import run_report

    check_report_output(out, overwrite)
    document = run_report(read_runs(runs))
    page = write_report(document, out, overwrite)
    typer.echo(document.answer)
    typer.echo(f"report: {page}")
