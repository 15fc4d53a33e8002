"""Arrays with their axes in another order: one option, `--layout`, with one meaning, in every command."""

import json

import numpy as np
import pytest
import typer.main

from keras_gahr.baselines import Wiener
from keras_gahr.commands.app import app
from keras_gahr.datasets import load
from keras_gahr.denoisers import load_denoiser, save_denoiser
from keras_gahr.training.config import RunConfig
from keras_gahr.training.preparation import prepare_training

OF_ARRAYS = {
    "baseline",
    "compare",
    "copying",
    "explain",
    "data array",
    "data bands",
    "data dedup",
    "data overlap",
    "data ray",
    "data show",
    "data shuffled",
    "denoise",
    "density",
    "dimension",
    "eigenbasis",
    "noise",
    "psnr",
    "restore",
    "sample",
    "train",
}
OF_PICTURES = {
    "baseline",
    "data faces",
    "data folder",
    "data ray",
    "denoise",
    "eigenbasis",
    "noise",
    "restore",
}
COMPUTING = {"compare", "denoise", "noise", "psnr", "restore", "sample"}


def test_the_commands_have_the_same_options():
    found = {"--layout": OF_ARRAYS, "--max-pixels": OF_PICTURES, "--memory": COMPUTING}
    for option, commands in found.items():
        assert {name for name, command in _commands() if option in _options(command)} == commands
    helps = {_options(command).get("--layout") for name, command in _commands() if name != "train"}
    assert len(helps - {None}) == 1


def _commands():
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        for below, inner in getattr(command, "commands", {"": command}).items():
            yield f"{name} {below}".strip(), inner


def _options(command):
    return {
        text: parameter.help
        for parameter in command.params
        if parameter.param_type_name == "option"
        for text in parameter.opts
    }


@pytest.fixture
def arrays(smooth_images, tmp_path):
    """Twelve images in colour, and the files in which they lie channels last and channels first."""
    images = smooth_images(12, 8, 8, 3)
    images[3] = images[7]
    np.save(tmp_path / "last.npy", images)
    np.save(tmp_path / "first.npy", np.moveaxis(images, -1, 1))
    return images, tmp_path / "last.npy", tmp_path / "first.npy"


@pytest.mark.parametrize("command", ["shuffled", "bands", "dedup", "array"])
def test_datasets_from_channels_first(gahr, refused, arrays, command, tmp_path):
    _, last, first = arrays
    assert "layout NCHW" in refused("data", command, first, tmp_path / "no")
    for path, options in ((last, ()), (first, ("--layout", "nchw"))):
        result = gahr("data", command, path, tmp_path / f"{path.stem}-made", *options)
        assert result.exit_code == 0, result.output
    made = [load(tmp_path / f"{name}-made", bands=True).images for name in ("last", "first")]
    np.testing.assert_array_equal(*made)


@pytest.mark.slow
def test_looking_into_channels_first(gahr, arrays, tmp_path):
    _, last, first = arrays
    for path, options in ((last, ()), (first, ("--layout", "NCHW"))):
        out = tmp_path / path.stem
        result = gahr("data", "show", path, "--out", f"{out}.png", *options)
        assert result.exit_code == 0, result.output
        result = gahr("data", "overlap", path, path, "--side", 4, "--out", out, *options)
        assert result.exit_code == 0, result.output
    shown = [json.loads((tmp_path / f"{name}.json").read_text()) for name in ("last", "first")]
    assert shown[0] == shown[1]


def test_one_image_channels_first(gahr, refused, arrays, tmp_path):
    image = arrays[0][0]
    np.save(tmp_path / "x.npy", np.moveaxis(image, -1, 0))
    arguments = ("data", "ray", tmp_path / "x.npy", tmp_path / "ray", "--count", 2)
    assert "layout NHW or CHW" in refused(*arguments)
    assert gahr(*arguments, "--layout", "CHW").exit_code == 0
    rays = load(tmp_path / "ray").images
    np.testing.assert_allclose(rays[0] / rays[0].max(), image / image.max(), atol=1e-6)


def test_denoisers_from_channels_first(gahr, arrays, tmp_path):
    images, _, first = arrays
    out = ("--out", tmp_path / "wiener.keras")
    result = gahr("baseline", "wiener", first, "--layout", "NCHW", "--sigma", 0.1, *out)
    assert result.exit_code == 0, result.output
    made = load_denoiser(tmp_path / "wiener.keras")
    expected = Wiener.from_images(images, sigma=0.1)
    np.testing.assert_array_equal(made.predict_on_batch(images), expected.predict_on_batch(images))
    save_denoiser(expected, tmp_path / "other.keras")
    out = ("--out", tmp_path / "psnr", "--sigmas", "0.1", "--draws", 1)
    result = gahr("psnr", tmp_path / "other.keras", first, "--layout", "NCHW", *out)
    assert result.exit_code == 0, result.output
    assert "all: 12 images" in result.output


def test_training_from_channels_first(refused, arrays, tmp_path):
    images, _, first = arrays
    assert "layout NCHW" in refused("train", first, "--out", tmp_path / "no")
    assert "layout 'NWC'" in refused("train", first, "--out", tmp_path / "no", "--layout", "nwc")
    config = RunConfig(dataset=str(first), layout="NCHW", architecture="bf-cnn", num_layers=2)
    prepared = prepare_training(config)
    np.testing.assert_array_equal(prepared.train_images.images, images[:11])
    assert prepared.denoiser.input_channels == 3
