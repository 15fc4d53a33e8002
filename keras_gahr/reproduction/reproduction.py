"""An experiment with its settings, from the plan to the report."""

import dataclasses
import importlib.metadata
import platform
import time
from pathlib import Path

import keras

import keras_gahr
from keras_gahr import _backend
from keras_gahr.datasets import load
from keras_gahr.errors import InputError
from keras_gahr.report.page import write_report

from .earlier_report import check_earlier_report
from .experiment import SCALES, Experiment
from .plan import DatasetFolder, DatasetTask, TrainingTask
from .settings import field_types, flattened, override

_PACKAGES = ("numpy", "scipy", "matplotlib")


@dataclasses.dataclass(frozen=True)
class Reproduction:
    """An experiment that is to be run.

    Args:
        experiment: `Experiment`.
        scale: of `SCALES`.
        settings: of it, perhaps with some fields changed.
        faces: `DatasetFolder` of the user, or None.
        tasks: the `TrainingTask`s that it needs.
    """

    experiment: Experiment
    scale: str
    settings: object
    faces: DatasetFolder | None
    tasks: list[TrainingTask]

    def check_report(self, workspace, overwrite=False):
        """Raises `InputError` if the report may not be written.

        One of the same settings and trainings is replaced, any other one only if asked for.

        Args:
            workspace: `Workspace`.
            overwrite: whether any other report is replaced.
        """
        name = self.experiment.name
        check_earlier_report(workspace.report_path(name), name, self._facts(), overwrite)

    def report(self, workspace, progress, overwrite=False):
        """Analyses the trainings, which must have finished, and writes the report.

        Args:
            workspace: `Workspace`.
            progress: called as progress(text, part done).
            overwrite: whether a report of other settings is replaced.

        Returns:
            The `Document` and the path of its HTML page.

        Raises:
            InputError: if there is one by now that may not be replaced.
        """
        started = time.perf_counter()
        runs = [workspace.finished_run(task) for task in self.tasks]
        document = self.experiment.analyse(self.settings, runs, progress)
        analysis = time.perf_counter() - started
        trainings = {task.folder: workspace.seconds(task) for task in self.tasks}
        document = dataclasses.replace(
            document,
            settings=self._facts() | dict(document.settings),
            versions=_versions(),
            seconds=sum(trainings.values()) + analysis,
        )
        self.check_report(workspace, overwrite)
        folder = workspace.report_path(self.experiment.name)
        return document, write_report(document, folder, overwrite=True)

    def _facts(self):
        """What was run, as JSON has it."""
        return {
            "scale": self.scale,
            **flattened(self.settings),
            "trainings": {
                f"{task.label} ({task.folder})": {
                    "dataset": _describe(task.dataset),
                    **task.options,
                }
                for task in self.tasks
            },
        }


def plan_reproductions(experiments, scale, assignments, faces=None):
    """The `Reproduction`s of some experiments.

    Args:
        experiments: a list of `Experiment`.
        scale: one of `SCALES`.
        assignments: settings to be changed, as texts by name; each must be one of some experiment.
        faces: `DatasetFolder`, or None.

    Raises:
        InputError: for unknown scales or settings, and settings that cannot be run.
    """
    if scale not in SCALES:
        raise InputError(f"received scale {scale!r}, expected one of {', '.join(SCALES)}")
    known = {each.name: field_types(type(each.scales[scale])) for each in experiments}
    for name in assignments:
        if not any(name in fields for fields in known.values()):
            fields = sorted(set().union(*known.values()))
            raise InputError(f"received setting {name!r}, expected one of {', '.join(fields)}")
    planned = []
    for experiment in experiments:
        own = {name: text for name, text in assignments.items() if name in known[experiment.name]}
        settings = override(experiment.scales[scale], own)
        given = faces if experiment.uses_faces else None
        tasks = list(experiment.trainings(settings, given))
        for task in tasks:
            task.config(dataset="")
        planned.append(Reproduction(experiment, scale, settings, given, tasks))
    return planned


def faces_folder(path):
    """The `DatasetFolder` of a dataset of the user.

    Raises:
        InputError: if it is none.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path} is not a folder: give a dataset made by `gahr data`")
    manifest = load(path, verify=False).manifest
    return DatasetFolder(str(path.resolve()), manifest["sha256"])


def _describe(dataset):
    """A dataset as JSON has it."""
    if isinstance(dataset, DatasetFolder):
        return {"name": Path(dataset.path).name, "sha256": dataset.sha256}
    parameters = {
        name: _describe(value) if isinstance(value, DatasetTask | DatasetFolder) else value
        for name, value in dataset.parameters.items()
    }
    return {"recipe": dataset.recipe, **parameters}


def _versions():
    return {
        "keras-gahr": keras_gahr.__version__,
        "Python": platform.python_version(),
        "Keras": keras.__version__,
        keras.backend.backend(): _backend.version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        "platform": platform.platform(),
    }
