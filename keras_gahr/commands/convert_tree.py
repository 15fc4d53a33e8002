"""`gahr convert --recursive`."""

import logging

import typer

from keras_gahr.folder_tree import HIDDEN

from .left_out import describe_left_out
from .progress import progress_bar
from .table import print_table


def convert_recursively(source, output, **options):
    """Converts a folder tree and prints a table; exits with code 1 if any file failed.

    Args:
        source, output, **options: see `weights_convert.convert_tree`.
    """
    import weights_convert

    # It takes the compilation of many networks for that of one again and again, and warns.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with progress_bar("Checkpoints") as progress:
        items = weights_convert.convert_tree(source, output, progress=progress, **options)
    made = [item for item in items if item.conversion]
    failed = [item for item in items if item.error]
    if made:
        header = ("name", "architecture", "parameters", "max difference", "PSNR at 25/255")
        print_table(header, map(_row, made))
    for item in made:
        for line in item.conversion.assumptions:
            typer.echo(f"assumed for {_shown(item)}: {line}")
        for line in item.conversion.notes:
            typer.echo(f"note on {_shown(item)}: {line}")
    hidden = [(item.name, item.note) for item in items if item.note == HIDDEN]
    for item in items:
        if item.note and item.note != HIDDEN:
            typer.echo(f"passed over {_shown(item)}: {item.note}")
    if hidden:
        typer.echo(describe_left_out(hidden))
    for item in failed:
        typer.echo(f"failed {_shown(item)}: {item.error}", err=True)
    passed_over = len(items) - len(made) - len(failed)
    typer.echo(f"{len(made)} converted, {passed_over} passed over, {len(failed)} failed")
    if failed:
        raise typer.Exit(1)


def _shown(item):
    """Its name, with nothing in it that a terminal would obey."""
    return item.name if item.name.isprintable() else repr(item.name)


def _row(item):
    conversion = item.conversion
    return (
        _shown(item),
        conversion.architecture,
        f"{conversion.parameters:,}",
        f"{conversion.max_relative_difference:.1e}",
        "-" if item.psnr is None else f"{item.psnr:.2f} dB",
    )
