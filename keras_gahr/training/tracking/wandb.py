"""Runs in Weights & Biases."""

import os
from typing import Any

from keras_gahr.errors import InputError
from keras_gahr.names import reason_of

from .libraries import library
from .tracker import Tracker

_WITHOUT_LOGIN = {"offline", "dryrun", "disabled"}

_EXIT_CODES = {"finished": 0, "early stop": 0, "stopped": 255}
"""255 is what W&B itself says of a program that Ctrl-C ended; all but 0 are failures for it."""


class WandbTracker(Tracker):
    """A run in a project; WANDB_MODE=offline keeps it in files for `wandb sync`.

    Args:
        project: its name.

    Raises:
        InputError: if the library is missing, or nobody is logged in.
    """

    def __init__(self, project):
        self.address = f"wandb:{project}"
        self.project = project
        self._wandb = library("wandb")
        self._run: Any = None
        if os.environ.get("WANDB_MODE") not in _WITHOUT_LOGIN:
            try:
                # Asks in a terminal, before the training begins.
                known = self._wandb.login()
            except Exception as error:  # Of other classes in each version.
                raise InputError(f"Weights & Biases: {reason_of(error)}: {_MEND}") from error
            if not known:
                raise InputError(f"Weights & Biases does not know you: {_MEND}")

    def start(self, run, known):
        self._run = self._wandb.init(
            project=self.project,
            name=run.name,
            id=known,
            config=dict(run.config),
            resume="allow",
            # Whoever trains may have a run of their own, which would else be taken for this one.
            reinit="create_new",
            # Command line, program, repository and what is printed hold folders of this machine.
            settings=self._wandb.Settings(x_disable_meta=True, disable_git=True, console="off"),
        )
        return self._run.id

    def log(self, step, numbers):
        # With a step, W&B would else hold the numbers back until it is told a later one.
        self._run.log(dict(numbers), step=step, commit=True)

    def finish(self, state):
        self._run.summary["state"] = state
        self._run.finish(exit_code=_EXIT_CODES.get(state, 1))


_MEND = "run `wandb login`, or set WANDB_MODE=offline"
