"""The page of help that is drawn ahead."""

import os
import re
import subprocess
import sys

import pytest
from waiting import FOR_EVER

from keras_gahr.commands import front
from keras_gahr.commands.front import PAGE, WIDTH, main, without_colours

pytestmark = pytest.mark.one_backend

USUAL = {name: value for name, value in os.environ.items() if name not in front._CHANGE_THE_PAGE}
USUAL |= {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"}


@pytest.fixture(scope="module")
def page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def words(text):
    """The text without frames, which other versions of Typer and Rich draw otherwise."""
    return re.sub(r"[─-╿\s|+-]+", " ", text).split()


def shown_on_a_terminal(cli, columns, environment):
    """What `gahr --help` writes to a terminal of so many columns."""
    pty = pytest.importorskip("pty", reason="a terminal of this kind")
    own, others = pty.openpty()
    subprocess.run(["stty", "cols", str(columns)], stdin=others, check=True)
    command = [sys.executable, str(cli), "--help"]
    with subprocess.Popen(command, stdout=others, stderr=others, env=environment) as process:
        os.close(others)
        found = b""
        with open(own, "rb", buffering=0) as terminal:
            try:
                while part := terminal.read(4096):
                    found += part
            except OSError:
                # The other side was closed.
                pass
        assert process.wait(FOR_EVER) == 0
    return found.decode().replace("\r\n", "\n")


def test_it_says_what_the_commands_are(gahr, page):
    """Otherwise draw it anew: python release/help_page.py."""
    assert words(without_colours(page)) == words(gahr("--help").output)
    assert max(map(len, without_colours(page).splitlines())) == WIDTH


def test_neither_typer_nor_rich_is_loaded_for_it():
    code = (
        "import sys; sys.argv = ['gahr', '--help']\n"
        "from keras_gahr.commands.front import main\n"
        "main()\n"
        "assert not {'typer', 'rich', 'keras'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, env=USUAL, timeout=FOR_EVER)
    assert result.returncode == 0, result.stderr
    assert "Usage: gahr" in result.stdout and "\x1b" not in result.stdout


def test_it_has_colours_on_a_terminal(cli, page):
    assert shown_on_a_terminal(cli, 100, USUAL) == page


@pytest.mark.parametrize(
    ("columns", "variables"),
    [(60, {}), (80, {"NO_COLOR": "1"}), (80, {"TERM": "dumb"}), (80, {"COLUMNS": "70"})],
)
def test_other_terminals_get_another_page(cli, page, columns, variables):
    shown = shown_on_a_terminal(cli, columns, USUAL | variables)
    assert shown != page
    assert "Usage:" in shown and "╭" in shown


def test_other_encodings_get_another_page(cli):
    command = [sys.executable, str(cli), "--help"]
    environment = USUAL | {"PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, capture_output=True, env=environment, timeout=FOR_EVER)
    assert result.returncode == 0, result.stderr
    assert "Usage:" in result.stdout.decode("ascii")


def test_a_reader_that_goes_is_no_error(cli):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, str(cli), "--help"]
    with os.fdopen(write) as gone:
        result = subprocess.run(
            command, stdout=gone, stderr=subprocess.PIPE, env=USUAL, timeout=FOR_EVER
        )
    assert (result.returncode, result.stderr) == (1, b"")


def test_without_any_output(monkeypatch):
    """As started by what has no terminal."""
    monkeypatch.setattr(sys, "argv", ["gahr", "--help"])
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
