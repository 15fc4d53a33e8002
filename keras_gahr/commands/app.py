"""The `gahr` command."""

import contextlib
import os
import sys
import warnings
from typing import Annotated

import typer

from keras_gahr import __version__
from keras_gahr.backend_choice import choose_backend
from keras_gahr.errors import InputError
from keras_gahr.heap import keep_freed_memory
from keras_gahr.names import printable

from .assemble import assemble
from .backend import BackendOption, lacks_memory
from .baseline import baseline
from .caught import warnings_as_lines
from .compare import compare
from .convert import convert
from .copying import copying
from .data import data_app
from .demo import demo
from .denoise import denoise
from .density import density
from .dimension import dimension
from .eigenbasis import eigenbasis
from .explain import explain
from .export import export
from .help import App, Group
from .info import info
from .inspect import inspect
from .noise import noise
from .options import expand_home
from .psnr import psnr
from .report import report
from .reproduce import reproduce
from .restore import restore
from .runs import runs
from .sample import sample
from .terminal import printable_output, take_every_character
from .train import train
from .usage import UsageError, usage_error
from .view import view
from .weights import weights_app


class Commands(Group):
    """Turns a user's mistake into one line and exit code 2."""

    def make_context(self, info_name, args, **options):
        with _in_one_line():
            return super().make_context(info_name, [*map(expand_home, args)], **options)

    def invoke(self, ctx):
        with printable_output(), _in_one_line(), warnings_as_lines():
            return super().invoke(ctx)


@contextlib.contextmanager
def _in_one_line():
    """Within it, a user's mistake ends the command with one line and exit code 2."""
    try:
        yield
        return
    except InputError as error:
        message = str(error)
    except UsageError as error:
        message = usage_error(error)
        if message is None:
            raise
    except (ImportError, SystemError) as error:
        if not lacks_memory(error):
            raise
        message = "not enough memory to load the libraries: let the process take more (ulimit -v)"
    except BrokenPipeError:
        # The reader of our output has gone, as in `gahr info | head -1`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except OSError as error:
        message = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        message = _MEMORY
    # In one line, whatever the names of files in it hold.
    typer.echo(f"error: {printable(message)}", err=True)
    raise typer.Exit(2)


def _is_out_of_memory(error):
    """Whether it is Python's or the backend's way to say so, if there is a backend."""
    backend = sys.modules.get("keras_gahr._backend")
    return isinstance(error, MemoryError) or (
        backend is not None and backend.is_out_of_memory(error)
    )


_MEMORY = (
    "not enough memory: choose a lower --memory (as 500MB) or a smaller --batch-size where the command has "
    "one, or smaller images or a smaller network"
)


app = App(
    name="gahr",
    cls=Commands,
    help="Blind denoisers: train them, sample from them, and see in what basis they denoise.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool):
    if asked:
        typer.echo(f"keras-gahr {__version__}")
        raise typer.Exit


@app.callback()
def choose(
    backend: BackendOption = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
):
    if backend:
        choose_backend(backend)


app.command()(demo)
app.add_typer(data_app, name="data")
app.command()(train)
app.command()(runs)
app.command()(view)
app.command()(denoise)
app.command()(sample)
app.command()(restore)
app.command()(psnr)
app.command()(compare)
app.command()(copying)
app.command()(eigenbasis)
app.command()(noise)
app.command()(reproduce)
app.command()(report)

app.command()(convert)
app.command()(explain)
app.command()(density)
app.command()(dimension)
app.command()(export)
app.command()(assemble)
app.command()(baseline)
app.add_typer(weights_app, name="weights")
app.command()(inspect)
app.command()(info)


def main():
    """Runs the command line."""
    # Of a damaged picture, one line follows that names the file.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    take_every_character()
    keep_freed_memory()
    app(prog_name="gahr")
