"""Warnings of a command."""

import io
import sys
import warnings
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

import keras_gahr
from keras_gahr.commands.caught import warnings_as_lines

pytestmark = pytest.mark.one_backend

OWN = Path(keras_gahr.__file__).parent / "sampling" / "module.py"


def warn(text, file=OWN):
    """Warns as a function in this file would, of something that its callers did."""
    names = {}
    exec(compile("def by(warn, text): warn(text, stacklevel=3)", str(file), "exec"), names)
    names["by"](warnings.warn, text)


def test_each_is_one_line_once(capsys):
    with warnings_as_lines():
        warn("samples are noise")
        warn("samples are noise")
        warn("a name\nof two lines")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["warning: samples are noise", r"warning: a name\nof two lines"]


def test_they_are_said_before_an_error(capsys):
    with pytest.raises(ValueError, match="later"), warnings_as_lines():
        warn("this was assumed")
        raise ValueError("later")
    assert capsys.readouterr().err == "warning: this was assumed\n"


def test_those_of_libraries_stay_as_they_are(recwarn, capsys):
    with warnings_as_lines():
        warn("of a library", Path("/library/module.py"))
    assert capsys.readouterr().err == "" and len(recwarn) == 1


def test_a_bar_goes_on_below(monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    console = Console(stderr=True, force_terminal=True, width=60)
    with warnings_as_lines(), Progress(console=console) as bar:
        bar.update(bar.add_task("sampling", total=2), completed=1, refresh=True)
        warn("samples are noise")
    # The line of the bar is wiped first.
    assert "\x1b[2Kwarning: samples are noise\n" in terminal.getvalue()
