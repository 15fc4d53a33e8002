"""The options of `gahr train` as one value."""

import json

from keras_gahr.options.option import declared
from keras_gahr.options.training import TrainingOptions
from keras_gahr.training import TrainingSettings
from keras_gahr.training.config import RunConfig, read_options
from keras_gahr.training.optimizers import OPTIMIZERS


def test_the_defaults_are_those_of_the_settings():
    assert RunConfig(dataset="images").settings() == TrainingSettings()


def test_every_optimizer_that_is_offered_is_there():
    assert set(declared(TrainingOptions)["optimizer"].option.choices) == set(OPTIMIZERS)


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
