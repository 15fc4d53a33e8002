"""Python's warnings, as lines of a command."""

import contextlib
import inspect
import sys
import warnings
from pathlib import Path

from keras_gahr.names import printable

_PACKAGES = {Path(__file__).parents[2] / name for name in ("keras_gahr", "weights_convert")}

_PYTHONS = "warnings", "_py_warnings"
"""Modules that show warnings; the second is of Python 3.14."""


@contextlib.contextmanager
def warnings_as_lines():
    """What this package warns of meanwhile is printed to standard error at once, everything once.

    Such as what was assumed of a checkpoint that some function was given. What libraries warn of stays as
    it is.
    """
    with warnings.catch_warnings():
        shown, said = warnings.showwarning, set()

        def show(message, category, *rest, **options):
            if not issubclass(category, UserWarning) or not _is_own():
                shown(message, category, *rest, **options)
            elif str(message) not in said:
                said.add(str(message))
                # Above a bar of rich that is being shown, which Typer's own way would write into.
                print(f"warning: {printable(message)}", file=sys.stderr)

        warnings.showwarning = show
        yield


def _is_own():
    """Whether this package warns, whatever file the warning names: that is of one of those who called."""
    frame = inspect.currentframe()
    while frame.f_globals.get("__name__") in {__name__, *_PYTHONS}:
        frame = frame.f_back
    return not _PACKAGES.isdisjoint(Path(frame.f_code.co_filename).parents)
