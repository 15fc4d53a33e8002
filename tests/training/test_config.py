"""The options of `gahr train` as one value."""

import dataclasses
import inspect

from keras_gahr.commands.train import train
from keras_gahr.training import TrainingSettings
from keras_gahr.training.config import RunConfig


def test_the_defaults_are_those_of_the_settings():
    assert RunConfig("images").settings() == TrainingSettings()


def test_the_command_has_the_same_defaults():
    """It repeats them, so that its help needs no Keras."""
    ours = inspect.signature(train).parameters
    for field in dataclasses.fields(RunConfig):
        if field.name != "dataset":
            assert ours[field.name].default == field.default, field.name
