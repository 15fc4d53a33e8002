"""Runs of experiments: trained ones, and ones that all hold one network."""

import shutil

import pytest

from keras_gahr.datasets import (
    load,
    make_c_alpha,
    make_disks,
    make_ray,
    make_shuffled,
    make_sines,
)
from keras_gahr.datasets.repeated import make_repeated
from keras_gahr.datasets.resized import make_resized
from keras_gahr.denoisers import build_denoiser
from keras_gahr.experiments.experiment import FinishedRun
from keras_gahr.experiments.plan import DatasetTask
from keras_gahr.training import train
from keras_gahr.training.config import RunConfig

MAKERS = {
    "c_alpha": make_c_alpha,
    "disks": make_disks,
    "ray": make_ray,
    "repeated": make_repeated,
    "resized": make_resized,
    "shuffled": make_shuffled,
    "sines": make_sines,
}


@pytest.fixture
def dataset_of(tmp_path):
    """A function from a `TrainingTask` to the path of its dataset, which it makes."""

    def make(task):
        if not isinstance(task, DatasetTask):
            return task.path
        path = tmp_path / task.folder
        if not path.exists():
            parameters = dict(task.parameters)
            if "dataset" in parameters:
                parameters["source"] = make(parameters.pop("dataset"))
            MAKERS[task.recipe](out=path, **parameters)
        return path

    return lambda task: make(task.dataset)


@pytest.fixture
def finish(tmp_path, dataset_of):
    """A function from `TrainingTask`s to `FinishedRun`s, which trains."""

    def run(task):
        path = dataset_of(task)
        images, config = load(path), RunConfig(dataset=str(path), **task.options)
        parts = images.split(config.train_size, config.test_size, config.half)
        denoiser = build_denoiser(num_channels=images.images.shape[-1], **config.network())
        train(denoiser, *(part.images for part in parts), config.settings(), tmp_path / task.folder)
        return FinishedRun(task, tmp_path / task.folder, images)

    return lambda tasks: [run(task) for task in tasks]


@pytest.fixture
def pretend(tmp_path, dataset_of, tiny_model):
    """A function from `TrainingTask`s to `FinishedRun`s that all hold one network of two blocks."""

    def run(task):
        (tmp_path / task.folder).mkdir()
        shutil.copy(tiny_model, tmp_path / task.folder / "model.keras")
        return FinishedRun(task, tmp_path / task.folder, load(dataset_of(task)))

    return lambda tasks: [run(task) for task in tasks]
