"""What an experiment needs before it can be analysed: datasets to make and networks to train."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping

from keras_gahr.errors import InputError
from keras_gahr.training.config import RunConfig


@dataclasses.dataclass(frozen=True)
class DatasetTask:
    """A dataset of a synthetic family to be made.

    Args:
        recipe: a key of `keras_gahr.reproduction.recipes.RECIPES`.
        parameters: of its function, as JSON has them, without the folder; a parameter that is a
            `DatasetTask` itself stands for the folder of that dataset, which is made first.
    """

    recipe: str
    parameters: Mapping[str, object]

    @property
    def folder(self):
        """Its name below the folder of all datasets, from what it holds."""
        return f"{self.recipe}-{fingerprint(self)}"


@dataclasses.dataclass(frozen=True)
class DatasetFolder:
    """A dataset that is there already.

    Args:
        path: of its folder.
        sha256: of its images, from its manifest.
    """

    path: str
    sha256: str


@dataclasses.dataclass(frozen=True)
class TrainingTask:
    """A network to be trained.

    Args:
        label: short, for people: "N=100 A".
        dataset: `DatasetTask` or `DatasetFolder`.
        options: fields of `keras_gahr.training.config.RunConfig`, without `dataset`.
    """

    label: str
    dataset: DatasetTask | DatasetFolder
    options: Mapping[str, object]

    @property
    def folder(self):
        """Its name below the folder of all runs: one training has one name in every experiment."""
        return fingerprint(self)

    def config(self, dataset):
        """The `RunConfig`, with the dataset at a path.

        Raises:
            InputError: for options that it does not have or that cannot be.
        """
        try:
            config = RunConfig(dataset=str(dataset), **self.options)
        except TypeError as error:
            raise InputError(f"{self.label} has an unknown option: {error}") from error
        config.settings()
        return config


def fingerprint(task):
    """Twelve hexadecimal digits that depend on all that determines a task's result.

    Labels, and where a dataset lies, do not.
    """
    text = json.dumps(_content(task), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _content(value):
    if isinstance(value, DatasetTask):
        return ["dataset", value.recipe, _content(value.parameters)]
    if isinstance(value, DatasetFolder):
        return ["images", value.sha256]
    if isinstance(value, TrainingTask):
        return ["training", _content(value.dataset), _content(value.options)]
    if isinstance(value, Mapping):
        return {name: _content(part) for name, part in value.items()}
    return value
