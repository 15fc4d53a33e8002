"""What `gahr` does first: show its page of help, or load all the rest."""

import os
import sys

PAGE = os.path.join(os.path.dirname(__file__), "help.ansi")
"""The help of `gahr`, as Typer and Rich write it to a terminal of 80 columns (`release/help_page.py`).

They take eleven times as long for it as Python takes to start.
"""

WIDTH = 80

_CHANGE_THE_PAGE = {
    "COLUMNS",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "NO_COLOR",
    "PY_COLORS",
    "TERMINAL_WIDTH",
    "TTY_COMPATIBLE",
    "TYPER_USE_RICH",
}
"""Variables of the environment for which Rich writes other columns or colours."""


def main():
    """Runs the command line."""
    if sys.argv[1:] != ["--help"] or not show_page(sys.stdout):
        # Only now, since it takes its time.
        from .app import main as run

        run()


def show_page(stream):
    """Writes the help of `gahr` to a stream, unless Typer would write other colours, signs or fewer columns.

    Returns:
        Whether it was written.
    """
    if _CHANGE_THE_PAGE & os.environ.keys() or getattr(stream, "encoding", None) != "utf-8":
        return False
    coloured = stream.isatty()
    if coloured and not _takes_page(stream):
        return False
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    try:
        print(page if coloured else without_colours(page), end="", flush=True, file=stream)
    except BrokenPipeError:
        # The reader has gone, as in `gahr --help | head -1`; nothing is to be said when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        sys.exit(1)
    return True


def _takes_page(terminal):
    """Whether it is as wide as the page, and knows colours."""
    if os.name == "nt" or os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
        return False
    return os.get_terminal_size(terminal.fileno()).columns >= WIDTH


def without_colours(page):
    """The page without what sets colours of a terminal: ESC [ numbers m."""
    first, *rest = page.split("\x1b[")
    return first + "".join(part.partition("m")[2] for part in rest)
