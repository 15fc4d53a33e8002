"""Runs of experiments: trained ones, and ones that all hold one network."""

import shutil

import pytest

from keras_gahr.experiments.train_task import train_task
from keras_gahr.experiments.workspace import Workspace


@pytest.fixture
def finish(tmp_path):
    """A function from `TrainingTask`s to `FinishedRun`s, which trains."""
    workspace = Workspace(tmp_path)

    def run(task):
        workspace.make_dataset(task.dataset)
        task_file = workspace.task_path(task)
        task_file.parent.mkdir(parents=True, exist_ok=True)
        workspace.write_task(task)
        assert train_task(task_file) == 0
        return workspace.finished_run(task)

    return lambda tasks: [run(task) for task in tasks]


@pytest.fixture
def pretend(tmp_path, tiny_model):
    """A function from `TrainingTask`s to `FinishedRun`s that all hold one network of two blocks."""
    workspace = Workspace(tmp_path)

    def run(task):
        workspace.make_dataset(task.dataset)
        workspace.run_path(task).mkdir(parents=True)
        shutil.copy(tiny_model, workspace.run_path(task) / "model.keras")
        return workspace.finished_run(task)

    return lambda tasks: [run(task) for task in tasks]
