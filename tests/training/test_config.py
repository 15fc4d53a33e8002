"""The options of `gahr train` as one value."""

import dataclasses
import inspect
import json

from keras_gahr.commands.train import train
from keras_gahr.training import TrainingSettings
from keras_gahr.training.config import RunConfig, read_options


def test_the_defaults_are_those_of_the_settings():
    assert RunConfig("images").settings() == TrainingSettings()


def test_the_command_has_the_same_defaults():
    """It repeats them, so that its help needs no Keras."""
    ours = inspect.signature(train).parameters
    for field in dataclasses.fields(RunConfig):
        if field.name != "dataset":
            assert ours[field.name].default == field.default, field.name


def test_the_home_folder_in_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    file = tmp_path / "config.json"
    for options in ({"dataset": "~/images", "start_from": "~"}, {"dataset": "a~/b"}, {"epochs": 3}):
        file.write_text(json.dumps(options))
        expected = {
            name: value.replace("~", "/home/me") if str(value).startswith("~") else value
            for name, value in options.items()
        }
        assert read_options(file) == expected
