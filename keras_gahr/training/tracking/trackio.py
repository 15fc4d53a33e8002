"""Runs in Trackio."""

import secrets
from typing import Any

from .libraries import library
from .tracker import Tracker


class TrackioTracker(Tracker):
    """A run in a project: in a database of this machine (TRACKIO_DIR), or where TRACKIO_SPACE_ID says.

    Args:
        project: its name.

    Raises:
        InputError: if the library is missing.
    """

    def __init__(self, project):
        self.address = f"trackio:{project}"
        self.project = project
        self._trackio = library("trackio")
        self._run: Any = None
        self._step = None

    def start(self, run, known):
        # A run is known by its name alone, and many folders are called alike.
        name = known or f"{run.name}-{secrets.token_hex(4)}"
        self._run = self._trackio.init(
            project=self.project,
            name=name,
            config=dict(run.config),
            # One that was told no numbers before it was killed is not there: it begins now.
            resume="never" if known is None else "allow",
            embed=False,
        )
        return name

    def log(self, step, numbers):
        self._run.log(dict(numbers), step=step)
        self._step = step

    def finish(self, state):
        # Its runs have no state of their own.
        self._run.log({"state": state}, step=self._step)
        self._run.finish()
