"""The options of `gahr train` as one value."""

import dataclasses
import json
from pathlib import Path

import pytest

from keras_gahr.errors import InputError
from keras_gahr.options.option import declared
from keras_gahr.options.training import TrainingOptions
from keras_gahr.training import TrainingSettings
from keras_gahr.training.config import RunConfig, read_options
from keras_gahr.training.configured import config_from
from keras_gahr.training.optimizers import OPTIMIZERS
from keras_gahr.training.preparation import initial_denoiser

pytestmark = pytest.mark.one_backend


def test_the_defaults_are_those_of_the_settings():
    assert RunConfig(dataset="images").settings() == TrainingSettings()


def test_every_optimizer_that_is_offered_is_there():
    assert set(declared(TrainingOptions)["optimizer"].option.choices) == set(OPTIMIZERS)


@pytest.mark.parametrize("counts", ["1,2", 2])
def test_numbers_of_each_block(counts):
    config = RunConfig(
        architecture="unet-flex", block_kernels="2,3,2", num_enc_conv=counts, num_dec_conv="1"
    )
    network = initial_denoiser(config, channels=3)
    assert network.num_kernels == (2, 3, 2)
    assert network.num_enc_conv == ((1, 2) if counts == "1,2" else (2, 2))
    assert (network.num_mid_conv, network.num_dec_conv) == (3, (1, 1))
    # Of a network whose blocks are alike.
    plain = RunConfig(num_kernels=2, num_blocks=1, num_enc_conv="1", num_dec_conv=3)
    assert initial_denoiser(plain, channels=1).num_dec_conv == 3
    with pytest.raises(InputError, match="num_enc_conv"):
        initial_denoiser(dataclasses.replace(plain, num_enc_conv="1,2"), channels=1)


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


def test_what_is_given_wins_over_a_file_and_a_file_over_defaults(tmp_path):
    file = tmp_path / "options.json"
    file.write_text('{"epochs": 7, "batch_size": 9, "dataset": "a"}')
    defaults = {"epochs": 100, "batch_size": 4, "dataset": None, "out": "passed over"}
    config = config_from(defaults, {"batch_size"}, file)
    assert (config.epochs, config.batch_size) == (7, 4)
    assert config.dataset == str(Path("a").resolve())
    assert config_from(defaults | {"dataset": "b"}, {"dataset"}, file).dataset.endswith("b")
    assert config_from({"epochs": 3}).epochs == 3
    with pytest.raises(InputError, match="num-kernels with --start-from"):
        config_from({"start_from": "x.keras", "num_kernels": 3}, {"num_kernels"})


def test_the_first_weights_may_be_those_of_a_denoiser_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chosen = config_from({"dataset": "set", "start_from": Path("disks-24-unet")})
    assert chosen.start_from == "disks-24-unet"
    assert chosen.dataset == str(tmp_path / "set")
    assert initial_denoiser(chosen, 1).num_kernels == 16
    (tmp_path / "disks-24-unet").mkdir()
    found = config_from({"dataset": "set", "start_from": "disks-24-unet"})
    assert found.start_from == str(tmp_path / "disks-24-unet")
