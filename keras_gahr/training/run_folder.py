"""The folder of a run."""

import os
from pathlib import Path

from keras_gahr.errors import InputError
from keras_gahr.files import check_output_folder

FILES = (
    "config.json",
    "status.json",
    "model.keras",
    "state.safetensors",
    "history.csv",
    "levels.csv",
    "clock.csv",
    "clock",
    "before_memorizing.keras",
    "events",
    "trackers.json",
    "curves.png",
    "levels.png",
    "clock.png",
    "denoising.png",
)
"""All that a run directory may hold."""

_LONGEST_STATUS = 2**16


def check_path(out: str | os.PathLike[str]) -> Path:
    """The path of a run directory; raises `InputError` for something that is none."""
    if not isinstance(out, str | os.PathLike):
        raise InputError(f"received out={out!r:.80}, expected the path of a run directory")
    return Path(out)


def check_run_output(out: str | Path, overwrite: bool = False) -> Path:
    """The run directory, if a training may write it; else raises `InputError`.

    Examples:
        >>> from keras_gahr.training import check_run_output
        >>> check_run_output("a-new-run").name
        'a-new-run'
    """
    out = Path(out)
    if not overwrite and os.path.isfile(out / "state.safetensors"):
        raise InputError(
            f"{out} exists and holds a run: `gahr train --resume {out}` goes on with it, --overwrite "
            "replaces it"
        )
    return check_output_folder(out, overwrite, known_by="config.json", contents=FILES)


def check_run_to_resume(out: str | Path) -> Path:
    """The run directory, if its training may go on; else raises `InputError`."""
    out = Path(out)
    if not (out / "config.json").is_file():
        raise InputError(f"{out} holds no run, expected a folder that `gahr train` made")
    if not os.access(out, os.R_OK | os.W_OK | os.X_OK):
        raise InputError(
            f"{out} is not writable, and a run that goes on writes there: copy it first"
        )
    status = out / "status.json"
    if status.is_file():
        with open(status, errors="replace") as file:
            diverged = '"diverged"' in file.read(_LONGEST_STATUS)
        if diverged:
            raise InputError(
                f"{out} diverged and would again: start anew with a smaller learning rate"
            )
    return out
