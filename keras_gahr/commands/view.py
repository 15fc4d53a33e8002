"""`gahr view`."""

from pathlib import Path
from typing import Annotated

import typer


def view(
    folder: Annotated[
        Path,
        typer.Argument(help="A run, dataset, report or other result, or a folder that holds some."),
    ] = Path("."),
    port: Annotated[
        int | None,
        typer.Option(help="Of 127.0.0.1.", min=1, max=65535, show_default="a free one"),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = True,
):
    """Look at results in a browser: pictures, curves, steps of samplers, runs as they train.

    Reads what is there, without Keras, and changes nothing. Only this machine can reach the page, and only
    by the address that is printed. Ctrl-C ends it.
    """
    from keras_gahr.view.server import ViewServer
    from keras_gahr.view.serving import open_page, until_ended

    with ViewServer(folder, port or 0) as server, until_ended():
        typer.echo(f"{folder} is at {server.address}")
        typer.echo("Ctrl-C ends it")
        if open_browser:
            open_page(server.address)
        server.serve_forever()
