"""What trainings will take, measured on a few steps of each kind."""

import dataclasses

import numpy as np

from keras_gahr.datasets import load
from keras_gahr.datasets.mixture import MixtureRecipe
from keras_gahr.noise import keyed_normal
from keras_gahr.options.option import declared
from keras_gahr.options.training import ClockOptions
from keras_gahr.psnr import SIGMAS
from keras_gahr.training.conditions import goes_on_device, plan_of
from keras_gahr.training.estimate import estimate_training
from keras_gahr.training.preparation import initial_denoiser
from keras_gahr.training.watch.levels import MOST_IMAGES

from .plan import DatasetFolder, DatasetTask

_NOT_OF_THE_STEP = {
    *declared(ClockOptions),
    "epochs",
    "halve_every",
    "half",
    "images_per_epoch",
    "learning_rate",
    "patience",
    "schedule",
    "seed",
    "test_size",
    "train_size",
}
"""Options that change how many steps there are, or what is in them, but not how long one takes."""


def image_shape(dataset):
    """(height, width, channels) of a `DatasetTask` that need not be made, or of a `DatasetFolder`.

    Of a task, the size is its parameter `size` or that of the dataset it is made from.
    """
    if isinstance(dataset, DatasetFolder):
        return load(dataset.path, verify=False).images.shape[1:]
    if dataset.recipe == "mixture":
        named = {field.name for field in dataclasses.fields(MixtureRecipe)}
        given = {name: value for name, value in dataset.parameters.items() if name in named}
        return MixtureRecipe(**given).image_shape
    sources = (
        value
        for value in dataset.parameters.values()
        if isinstance(value, DatasetTask | DatasetFolder)
    )
    source = next(sources, None)
    height, width, channels = (None, None, 1) if source is None else image_shape(source)
    size = dataset.parameters.get("size")
    return (height, width, channels) if size is None else (size, size, channels)


class Costs:
    """Estimates trainings, with one measurement for all whose steps are alike."""

    def __init__(self):
        self._measured = {}

    def of(self, task):
        """The `TrainingEstimate` of a `TrainingTask`.

        Raises:
            InputError: for options that cannot be.
        """
        config = task.config(dataset="")
        settings, shape = config.settings(), tuple(image_shape(task.dataset))
        denoiser = initial_denoiser(config, shape[-1])
        # Nothing of a step's time depends on the images, which may not be there yet.
        image = np.clip(0.5 + 0.1 * keyed_normal(0, range(1), 0, shape), 0, 1)
        train, test = (
            np.broadcast_to(image, (task.options[name], *shape))
            for name in ("train_size", "test_size")
        )
        clock = config.clock_settings()
        changing = dict.fromkeys(_NOT_OF_THE_STEP)
        step = (shape, *(dataclasses.asdict(config) | changing).items())
        estimate = estimate_training(
            denoiser,
            train,
            settings,
            test_images=test,
            extra_evaluations=sum(min(len(part), MOST_IMAGES) for part in (train, test))
            * len(SIGMAS),
            data_on_device=goes_on_device(denoiser, train, settings, config.data_on_device),
            measured=self._measured.get(step),
            clock=None if clock is None else plan_of(clock, denoiser, train, settings),
        )
        self._measured.setdefault(step, estimate)
        return estimate
