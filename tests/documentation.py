"""The commands that README.md and docs/ show.

A block of commands is fenced as `sh`. Comments of Markdown right above it, which readers do not see,
say what the tests do with it:

    <!-- test: --epochs 10 => --epochs 1 -->      it is run with this in place of that, in one line each
    <!-- not run: it needs a cluster -->          it is not run, for this reason

`<!-- options: MODULE.CLASS -->` is no matter of the tests: the site puts a table in its place.

Every `gahr` command is parsed in any case.
"""

import dataclasses
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]

_BLOCK = re.compile(r"((?:^<!--[^\n]*-->\n)*)^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (test|not run|options): (.*?) -->")


@dataclasses.dataclass(frozen=True)
class Block:
    """Commands on a page.

    Args:
        text: as shown.
        replaced: pairs of strings, for the tests.
        reason: why it is not run, or None.
    """

    text: str
    replaced: tuple
    reason: str | None

    def small(self):
        """The commands as the tests run them; every replacement must find something to replace."""
        text = self.text
        for old, new in self.replaced:
            assert old in text, f"nothing to replace: {old}"
            text = text.replace(old, new)
        return text


def blocks(markdown):
    """The `Block`s of commands in a page's text."""
    found = []
    for comments, language, text in _BLOCK.findall(markdown):
        if language != "sh":
            continue
        notes = _COMMENT.findall(comments)
        replaced = tuple(tuple(rest.split(" => ")) for kind, rest in notes if kind == "test")
        reasons = [rest for kind, rest in notes if kind == "not run"]
        found.append(Block(text, replaced, reasons[0] if reasons else None))
    return found


def gahr_arguments(text):
    """The arguments of each `gahr` command in lines of shell.

    `python -m keras_gahr` and what torchrun starts count too.
    """
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        command = []
        for word in [*words, ";"]:
            if word not in {"&&", "||", ";", "|"}:
                command.append(word)
                continue
            for first in (["gahr"], [".venv/bin/gahr"], ["-m", "keras_gahr"]):
                for start in range(len(command)):
                    if command[start : start + len(first)] == first:
                        yield command[start + len(first) :]
            command = []


def parse(arguments):
    """Lets the real command line parse arguments without running a command.

    Raises:
        click's UsageError: for an unknown command or option, or arguments that do not fit.
    """
    import typer.main

    from keras_gahr.commands.app import app

    command, context, name = typer.main.get_command(app), None, "gahr"
    while True:
        context = command.make_context(name, list(arguments), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        arguments = [*context._protected_args, *context.args]
        name, command, arguments = command.resolve_command(context, arguments)
