"""Run directories, and how far their trainings are."""

import csv
import dataclasses
import math
import os
import socket
import time
from collections.abc import Collection
from pathlib import Path

from keras_gahr.json_file import LARGEST_JSON, read_json

_ENDED = ("finished", "stopped", "diverged", "early stop", "failed")


@dataclasses.dataclass(frozen=True)
class Run:
    """A run directory.

    Args:
        path: of the directory.
        state: in words: finished, stopped, diverged, early stop, failed (by an error), running, interrupted,
            not finished (of runs without status.json) or unreadable.
        epoch, epochs: done and asked for, or None if not known.
        train_psnr, test_psnr: of the last epoch in dB, or None.
        changed: when it last changed, in seconds since 1970.

    Examples:
        >>> from pathlib import Path
        >>> from keras_gahr.runs import Run
        >>> run = Run(Path("faces"), "finished", 50, 50, 24.9, 24.1, changed=0.0)
        >>> run.state, run.test_psnr
        ('finished', 24.1)
    """

    path: Path
    state: str
    epoch: int | None
    epochs: int | None
    train_psnr: float | None
    test_psnr: float | None
    changed: float


def find_runs(folder: str | os.PathLike[str]) -> list[Run]:
    """The run directories of this package in a folder and below it, sorted by path.

    Hidden folders and links to folders are passed over. A run with a broken file is listed as
    unreadable.

    Examples:
        >>> import tempfile
        >>> from keras_gahr.runs import find_runs
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     find_runs(folder)
        []
    """
    runs = []
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # Reading a pipe would wait for ever, and a device never end.
        files = [name for name in files if (Path(path) / name).is_file()]
        if "config.json" in files and (run := read_run(Path(path), files)):
            runs.append(run)
            folders.clear()
    return runs


def read_run(path: Path, files: Collection[str]) -> Run | None:
    """The `Run` in a directory with a config.json, or None if that is of something else.

    Args:
        path: of the directory.
        files: the names of the files in it that may be read.
    """
    changed = max(
        (_changed(path / name) for name in ("config.json", "status.json", "history.csv")),
    )
    try:
        config = read_json(path / "config.json")
        if "training" not in config or "keras_gahr" not in config.get("versions", ()):
            return None
        epochs = int(config["training"]["epochs"])
        last = _last_row(path / "history.csv") if "history.csv" in files else {}
        numbers = [_number(last.get(name)) for name in ("train_psnr", "test_psnr")]
        epoch = int(last.get("epoch", 0))
        if "status.json" in files:
            status = read_json(path / "status.json")
            epoch, epochs = int(status["epoch"]), int(status["epochs"])
            state = _state(status, path, changed)
        elif _number(last.get("train_loss")) is None and last:
            state = "diverged"
        else:
            state = "finished" if epoch >= epochs else "not finished"
        return Run(path, state, epoch, epochs, *numbers, changed)
    except (
        OSError,
        ArithmeticError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        csv.Error,
    ):
        known = {"status.json", "history.csv", "model.keras"} & set(files)
        if not known and b"gahr" not in _beginning(path / "config.json"):
            return None
        return Run(path, "unreadable", None, None, None, None, changed)


def _state(status, path, changed):
    state = status["state"]
    if state in _ENDED:
        return state
    if state != "running":
        raise ValueError(f"unknown state {state!r}")
    if status["host"] != socket.gethostname():
        return f"running on {status['host']}"
    if _is_alive(status["pid"], changed):
        return "running"
    return f"interrupted: gahr train --resume {path}"


def _is_alive(pid, changed):
    """Whether the process that wrote a file at some time still runs, as far as can be told."""
    if type(pid) is not int or pid < 1:
        raise ValueError(f"no process number: {pid!r}")
    if os.name == "nt":  # Asking would send Ctrl-C there.
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except (ProcessLookupError, OverflowError):
        return False
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:  # Only Linux has these.
        return True
    # A dead process whose parent has not asked for it is still listed; a later one may have got
    # the number of a dead one.
    started = time.time() - uptime + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return fields[0] not in "ZX" and started < changed + 2


def _last_row(path):
    row = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            int(row["epoch"])
    return row


def _number(text):
    """A finite number, or None."""
    value = float(text) if text else math.nan
    return value if math.isfinite(value) else None


def _changed(path):
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _beginning(path):
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST_JSON)
    except OSError:
        return b""
