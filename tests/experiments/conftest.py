"""Trainings of an experiment, one after the other."""

import pytest

from keras_gahr.datasets import load, make_c_alpha
from keras_gahr.datasets.repeated import make_repeated
from keras_gahr.datasets.resized import make_resized
from keras_gahr.denoisers import build_denoiser
from keras_gahr.experiments.experiment import FinishedRun
from keras_gahr.experiments.plan import DatasetTask
from keras_gahr.training import train
from keras_gahr.training.config import RunConfig

MAKERS = {"c_alpha": make_c_alpha, "repeated": make_repeated, "resized": make_resized}


@pytest.fixture
def finish(tmp_path):
    """A function from `TrainingTask`s to `FinishedRun`s."""

    def dataset(task):
        if not isinstance(task, DatasetTask):
            return task.path
        path = tmp_path / task.folder
        if not path.exists():
            parameters = dict(task.parameters)
            if "dataset" in parameters:
                parameters["source"] = dataset(parameters.pop("dataset"))
            MAKERS[task.recipe](out=path, **parameters)
        return path

    def run(task):
        path = dataset(task.dataset)
        images, config = load(path), RunConfig(dataset=str(path), **task.options)
        parts = images.split(config.train_size, config.test_size, config.half)
        denoiser = build_denoiser(num_channels=images.images.shape[-1], **config.network())
        out = tmp_path / task.folder
        train(denoiser, *(part.images for part in parts), config.settings(), out)
        return FinishedRun(task, out, images)

    return lambda tasks: [run(task) for task in tasks]
