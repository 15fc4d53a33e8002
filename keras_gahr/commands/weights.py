"""`gahr weights`: published checkpoints."""

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from .help import App
from .progress import progress_bar
from .table import print_table

weights_app = App(no_args_is_help=True, help="Fetch published PyTorch checkpoints.")

NameArgument = Annotated[str, typer.Argument(help="A name that `gahr weights list` shows.")]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder for fetched files; default: KERAS_GAHR_CACHE, or the user's cache folder.",
        show_default=False,
    ),
]


@weights_app.command("list")
def list_(
    cache: CacheOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all that is known, as JSON.")
    ] = False,
):
    """List the published checkpoints.

    "Made" is the architecture that `gahr convert` makes of one, "-" where a network has biases or is
    none of this package's.
    """
    from weights_convert.catalogue import catalogue

    if as_json:
        known = [
            dataclasses.asdict(item) | {"url": item.url(), "fetched": item.cached(cache).is_file()}
            for item in catalogue().values()
        ]
        typer.echo(json.dumps(known, indent=1))
        return
    rows = [
        (
            item.name,
            item.architecture or "-",
            f"{item.size / 1e6:.1f} MB" if item.size else "?",
            item.licence or "none stated",
            "fetched" if _is_there(item, cache) else "",
        )
        for item in catalogue().values()
    ]
    print_table(("name", "made", "size", "licence", ""), rows)


@weights_app.command()
def fetch(
    name: NameArgument,
    url: Annotated[
        str | None,
        typer.Option(
            help="Address of a mirror, before /OWNER/REPOSITORY/COMMIT/PATH; default: "
            "KERAS_GAHR_WEIGHTS_URL, or GitHub.",
            show_default=False,
        ),
    ] = None,
    cache: CacheOption = None,
):
    """Download a published checkpoint, unless it is there, and check it by its hash."""
    from weights_convert.catalogue import fetch, find_published

    published = find_published(name)
    with progress_bar(name, counted=False) as progress:
        path = fetch(published, url, cache, progress)
    typer.echo(f"{path}: as published in {published.repository}")
    typer.echo(_licence(published))
    if published.architecture is None:
        typer.echo("it cannot be converted: it has biases or is none of this package's networks")
    else:
        option = f" --first-layer {published.first_layer}" if published.first_layer else ""
        typer.echo(f"convert it: gahr convert {shlex.quote(str(path))} {name}.keras{option}")


@weights_app.command()
def path(name: NameArgument, cache: CacheOption = None):
    """Print the path of a fetched checkpoint, once its hash is checked."""
    from weights_convert.catalogue import fetched_path, find_published

    typer.echo(fetched_path(find_published(name), cache))


def _is_there(published, cache):
    from keras_gahr.errors import InputError

    try:
        return published.cached(cache).is_file()
    except InputError:
        # A user without a home folder has fetched nothing into it.
        return False


def _licence(published):
    if published.licence is None:
        return "licence: none stated, so ask the authors before passing the file on"
    return f"licence: {published.licence}, https://github.com/{published.repository}"
