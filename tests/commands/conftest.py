"""Running `gahr` as a user does."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner
from waiting import FOR_EVER


@pytest.fixture
def cli():
    """The launcher in the checkout."""
    return Path(__file__).resolve().parents[2] / "cli.py"


@pytest.fixture
def gahr():
    """A function that runs `gahr ARGUMENTS` in this process; the result has exit_code and output."""
    from keras_gahr.commands.app import app

    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def gahr_process(cli):
    """The same in a process of its own, with stdout and stderr."""

    def run(*arguments, **options):
        command = [sys.executable, str(cli), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=FOR_EVER, **options)

    return run


@pytest.fixture
def refused(gahr):
    """A function that checks that arguments end in one line and exit code 2, and returns the line."""

    def run(*arguments):
        result = gahr(*arguments)
        assert result.exit_code == 2, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        lines = [line for line in result.output.splitlines() if line.strip()]
        assert len(lines) == 1, result.output
        assert lines[0].startswith("error: ")
        return lines[0]

    return run
