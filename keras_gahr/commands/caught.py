"""Python's warnings, as lines of a command."""

import contextlib
import warnings

import typer


@contextlib.contextmanager
def warnings_as_lines():
    """What is warned of meanwhile is printed to standard error at the end, everything once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        typer.echo(f"warning: {message}", err=True)
