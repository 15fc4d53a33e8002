"""Runs of experiments: trained ones, and ones that all hold one network."""

import shutil

import pytest
from sweeping import train_all

from keras_gahr.reproduction.workspace import Workspace


@pytest.fixture
def finish(tmp_path):
    """A function from `TrainingTask`s to `FinishedRun`s, which trains."""
    return lambda tasks: train_all(Workspace(tmp_path), tasks)


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
