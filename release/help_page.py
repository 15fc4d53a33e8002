"""Draws the help of `gahr` ahead, after its commands or options changed: `python release/help_page.py`."""

import os
import subprocess
import sys
from pathlib import Path

from keras_gahr.commands.front import PAGE, WIDTH


def drawn():
    """The page as Typer writes it to a terminal that shows colours."""
    environment = {**os.environ, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1", "TERM": "xterm"}
    command = [sys.executable, "-m", "keras_gahr", "--help"]
    return subprocess.run(command, env=environment, capture_output=True, check=True).stdout


if __name__ == "__main__":
    Path(PAGE).write_bytes(drawn())
