"""What `--help` shows."""

import contextlib
import functools
import io
import itertools
import re

import documentation
import pytest
import typer.main

from keras_gahr.commands.app import app

pytestmark = pytest.mark.one_backend


def commands(group, name):
    """The names of all commands, as lists of words."""
    yield name
    for word, command in getattr(group, "commands", {}).items():
        yield from commands(command, [*name, word])


GROUP = typer.main.get_command(app)
COMMANDS = [*commands(GROUP, [])]


@pytest.fixture(scope="module")
def help_of():
    """A function of a command's words that returns its help in 80 columns."""

    @functools.cache
    def of(*words):
        output = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
            patch.setenv("COLUMNS", "80")
            patch.setenv("TERM", "dumb")
            GROUP.main([*words, "--help"], prog_name="gahr", standalone_mode=False)
        return output.getvalue()

    return of


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_nothing_is_cut_off_in_80_columns(help_of, words):
    lines = help_of(*words).splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in help_of(*words)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_flags_read_as_flags(help_of, words):
    assert "<bool>" not in help_of(*words)


def test_both_forms_of_a_flag_are_one(help_of):
    text = help_of("train")
    assert "--[no-]skip" in text and "--no-skip" not in text
    assert "[default: (on)]" in text


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_paragraphs_are_broken_by_the_terminal_alone(help_of, words):
    """A line of prose ends where the next word would not have fitted."""
    prose = re.match(r"\s*Usage:[^\n]*\n(.*?)(╭|\Z)", help_of(*words), re.DOTALL)[1]
    lines = [line.strip() for line in prose.splitlines()]
    for line, after in itertools.pairwise(lines):
        if line and after:
            assert len(line) + 1 + len(after.split()[0]) > 78


@pytest.mark.parametrize("form", ["--skip", "--no-skip"])
def test_both_forms_are_taken(form):
    documentation.parse(["train", "images.npy", "--out", "run", form])
