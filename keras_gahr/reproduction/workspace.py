"""A folder for the datasets, trainings and reports of experiments, each of which is made once."""

import contextlib
import dataclasses
import json
import time
from pathlib import Path

from keras_gahr.datasets import load
from keras_gahr.datasets.store import is_dataset
from keras_gahr.errors import InputError
from keras_gahr.files import Busy, locked, replacing
from keras_gahr.json_file import read_json
from keras_gahr.runs import find_runs
from keras_gahr.training.watch.history import read_history

from .experiment import FinishedRun
from .plan import DatasetFolder, DatasetTask
from .recipes import RECIPES

_SECONDS_BETWEEN_TRIES = 0.5

_AROUND = {"dataset", "track"}
"""Options on which the result of a training does not depend."""


class Workspace:
    """The folder.

    It has data/ with datasets, runs/ with run directories, tasks/ with what a training was asked for
    and its log, and a folder for the report of each experiment. Datasets and runs are called by the
    fingerprint of what determines them, so that experiments share what they have in common.

    Several processes may use one workspace at a time. Who makes something locks its folder in tasks/.

    Args:
        folder: which need not exist.
    """

    def __init__(self, folder):
        self.folder = Path(folder).resolve()

    def dataset_path(self, dataset):
        """Where a `DatasetTask` or `DatasetFolder` lies, made or not."""
        if isinstance(dataset, DatasetFolder):
            return Path(dataset.path)
        return self.folder / "data" / dataset.folder

    def run_path(self, task):
        """The run directory of a `TrainingTask`."""
        return self.folder / "runs" / task.folder

    def log_path(self, task):
        """The log of a `TrainingTask`."""
        return self._task_folder(task) / "log.txt"

    def task_path(self, task):
        """The file that says what a training is asked for; see `write_task`."""
        return self._task_folder(task) / "task.json"

    def report_path(self, name):
        """The folder of the report of an experiment."""
        return self.folder / name

    def _task_folder(self, task):
        return self.folder / "tasks" / task.folder

    @contextlib.contextmanager
    def holding(self, task):
        """Locks a `DatasetTask` or `TrainingTask`; raises `Busy` if another process has it."""
        folder = self._task_folder(task)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            yield

    def is_busy(self, task):
        """Whether another process is at a task just now."""
        try:
            with self.holding(task):
                return False
        except Busy:
            return True

    def is_made(self, dataset):
        """Whether a dataset is there."""
        return isinstance(dataset, DatasetFolder) or is_dataset(self.dataset_path(dataset))

    def make_dataset(self, dataset, progress=None):
        """Makes a dataset, and before it those that it is made from, unless they are there.

        If another process is making it, waits for it.

        Args:
            dataset: `DatasetTask` or `DatasetFolder`.
            progress: called as progress(images done, images in all).

        Returns:
            Its path.

        Raises:
            InputError: if it cannot be made.
        """
        path = self.dataset_path(dataset)
        while not self.is_made(dataset):
            try:
                with self.holding(dataset):
                    if not self.is_made(dataset):
                        self._make(dataset, path, progress)
            except Busy:
                time.sleep(_SECONDS_BETWEEN_TRIES)
        return path

    def _make(self, dataset, path, progress):
        if dataset.recipe not in RECIPES:
            raise InputError(
                f"received recipe {dataset.recipe!r}, expected one of {', '.join(RECIPES)}"
            )
        parameters = {
            name: self.make_dataset(value, progress)
            if isinstance(value, DatasetTask | DatasetFolder)
            else value
            for name, value in dataset.parameters.items()
        }
        RECIPES[dataset.recipe](out=path, progress=progress, **parameters)

    def state(self, task):
        """How far a `TrainingTask` is: "missing", or as `keras_gahr.runs.Run` has it.

        Raises:
            InputError: if its run directory holds another training.
        """
        path = self.run_path(task)
        if not (path / "config.json").is_file():
            return "missing"
        runs = find_runs(path)
        state = runs[0].state if runs else "unreadable"
        if state == "unreadable" or not self._holds(path, task):
            raise InputError(
                f"{path} does not hold the training {task.label} that belongs there: remove it, and it "
                "is done again"
            )
        return state

    def _holds(self, path, task):
        found, asked = self._options(path), self._all_options(task)
        if asked["halve_every"] is None:
            # By default it was another one in earlier versions, which a run that goes on writes down.
            found["halve_every"] = None
        return found == asked

    def _options(self, path):
        options = read_json(path / "config.json", "the config.json of a run").get("options")
        return {name: value for name, value in (options or {}).items() if name not in _AROUND}

    def _all_options(self, task):
        options = dataclasses.asdict(task.config(dataset=""))
        options = {name: value for name, value in options.items() if name not in _AROUND}
        # As they are read back.
        return json.loads(json.dumps(options))

    def is_finished(self, task):
        """Whether a `TrainingTask` has ended well."""
        return self.state(task) in {"finished", "early stop"}

    def progress(self, task):
        """The part of a `TrainingTask` that is done, from 0 to 1."""
        try:
            status = read_json(self.run_path(task) / "status.json")
            return status["epoch"] / status["epochs"]
        except (InputError, LookupError, TypeError, ZeroDivisionError):
            return 0.0

    def write_task(self, task, track=None):
        """Writes what a process that trains must know, and returns the path of the file.

        Args:
            task: `TrainingTask`.
            track: which trackers follow it, as `RunConfig` has it.
        """
        path = self.task_path(task)
        content = {
            "label": task.label,
            "workspace": str(self.folder),
            "run": str(self.run_path(task)),
            "dataset": str(self.dataset_path(task.dataset)),
            "options": dict(task.options),
            "track": track,
        }
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return path

    def finished_run(self, task):
        """The `FinishedRun` of a task that has ended well."""
        return FinishedRun(task, self.run_path(task), load(self.dataset_path(task.dataset)))

    def seconds(self, task):
        """The time that all epochs of a training took."""
        return sum(row["seconds"] for row in read_history(self.run_path(task) / "history.csv"))
