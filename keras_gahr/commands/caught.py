"""Python's warnings, as lines of a command."""

import contextlib
import sys
import warnings
from pathlib import Path

from keras_gahr.names import printable

_PACKAGES = {Path(__file__).parents[2] / name for name in ("keras_gahr", "weights_convert")}


@contextlib.contextmanager
def warnings_as_lines():
    """What this package warns of meanwhile is printed to standard error at once, everything once.

    Such as what was assumed of a checkpoint that some function was given. What libraries warn of stays as
    it is.
    """
    with warnings.catch_warnings():
        shown, said = warnings.showwarning, set()

        def show(message, category, filename, *rest, **options):
            if not issubclass(category, UserWarning) or not _is_own(filename):
                shown(message, category, filename, *rest, **options)
            elif str(message) not in said:
                said.add(str(message))
                # Above a bar of rich that is being shown, which Typer's own way would write into.
                print(f"warning: {printable(message)}", file=sys.stderr)

        warnings.showwarning = show
        yield


def _is_own(filename):
    return not _PACKAGES.isdisjoint(Path(filename).parents)
