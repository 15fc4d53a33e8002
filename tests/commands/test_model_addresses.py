"""Networks of others as MODEL of commands."""

import sys

import keras
import numpy as np
import pytest
from keras import layers

import keras_gahr as kg

BACKEND = keras.backend.backend()

OWN = """
import torch

class Shrink(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blur = torch.nn.Conv2d(1, 1, 3, padding=1, bias=False)
        torch.nn.init.constant_(self.blur.weight, 1 / 9)

    def forward(self, x, sigma):
        weight = 100 * sigma[:, None, None, None] ** 2
        return (x + weight * self.blur(x)) / (1 + weight)

make = Shrink
"""
TOLD = "?predicts=image&schedule=sigma"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with networks and images."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_model.py").write_text(OWN)
    image, level = keras.Input((None, None, 1)), keras.Input(())
    power = layers.Reshape((1, 1, 1))(100 * keras.ops.square(level))
    blurred = layers.AveragePooling2D(3, 1, "same")(image)
    keras.Model([image, level], (image + power * blurred) / (1 + power)).save("told.keras")
    rows, columns = np.ogrid[:12, :12]
    waves = [0.5 + 0.4 * np.sin(rows / (3 + k)) * np.cos(columns / (2 + k)) for k in range(5)]
    np.save("images.npy", np.float32(waves))
    np.save("image.npy", np.float32(waves[0]))
    yield tmp_path
    sys.modules.pop("own_model", None)


ADDRESSES = [f"keras:told.keras{TOLD}"]
if BACKEND == "torch":
    ADDRESSES.append(f"torch:own_model:make{TOLD}")


COMMANDS = {
    "inspect": ("inspect MODEL", "predicts          image"),
    "denoise": ("denoise MODEL image.npy --out out.npy --add-noise 0.1", "1 denoised: out.npy"),
    "denoise-sigma": ("denoise MODEL image.npy --out out.npy --sigma 0.1", "1 denoised: out.npy"),
    "eigenbasis": (
        "eigenbasis MODEL image.npy --out out --count 4 --method exact",
        "error 0.0e+00",
    ),
    "psnr": ("psnr MODEL images.npy --out out --count 2 --sigmas 0.1 --draws 1", "all: 2 images"),
    "sample": ("sample MODEL --out out --size 8 --count 1", "1 images of 8x8"),
    "restore": (
        "restore MODEL image.npy --out out --repeat 1 --measurement inpainting:4x4",
        "1 restored",
    ),
}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("command", ["inspect", "denoise", "denoise-sigma"])
def test_commands_take_an_address(gahr, folder, address, command):
    line, expected = COMMANDS[command]
    result = gahr(*line.replace("MODEL", address).split())
    assert result.exit_code == 0, result.output
    assert expected in result.output
    said = "importing own_model, as MODEL says\n"
    assert result.output.startswith(said) == address.startswith("torch")
    assert result.output.count(said) == address.startswith("torch")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["eigenbasis", "psnr", "sample", "restore"])
def test_commands_that_draw_take_an_address(gahr, folder, command):
    line, expected = COMMANDS[command]
    result = gahr(*line.replace("MODEL", ADDRESSES[-1]).split())
    assert result.exit_code == 0, result.output
    assert expected in result.output


def test_a_recipe_is_taken_as_a_path(gahr, folder):
    kg.save_denoiser(kg.load_denoiser(ADDRESSES[0]), "told.json")
    result = gahr("inspect", "told.json")
    assert result.exit_code == 0, result.output
    assert "network           keras:told.keras" in result.output


@pytest.mark.skipif(BACKEND != "torch", reason="the factory is one of PyTorch")
def test_a_recipe_of_code_needs_its_address(gahr, folder, refused):
    kg.save_denoiser(kg.load_denoiser(ADDRESSES[1]), "own.json")
    line = refused("inspect", "own.json")
    assert line.endswith("if you know that code, give torch:own_model:make@own.json")
    result = gahr("inspect", "torch:own_model:make@own.json")
    assert result.exit_code == 0, result.output
    assert "schedule          sigma" in result.output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("denoise MODEL image.npy --out out.npy", r"--sigma of commands"),
        ("eigenbasis MODEL image.npy --out out --sigma 0", "told the noise level: give that of"),
        ("export MODEL out.onnx", "of which nothing is written here"),
        ("export MODEL out.safetensors", "of which nothing is written here"),
        ("convert MODEL out.keras", "this takes those of this package only"),
        ("assemble MODEL MODEL --out out.keras", "this takes those of this package only"),
        ("assemble image.npy MODEL --out out.keras", "this takes those of this package only"),
        ("train images.npy --out out --start-from MODEL", "this takes those of this package only"),
        ("sample MODEL --out out --size 8 --precision mixed_bfloat16", "received precision"),
        ("inspect keras:told.keras", "received no predicts"),
        ("inspect MODEL&x=1", "received the option 'x'"),
        ("inspect keras:nothing.keras?predicts=image", "nothing.keras does not exist"),
        ("inspect keras:image.npy?predicts=image", "image.npy"),
        ("compare MODEL keras:x?y --train-a images.npy --out out", "expected NAME=VALUE"),
    ],
)
def test_what_cannot_be_done_is_one_line(gahr, folder, line, message):
    result = gahr(*line.replace("MODEL", ADDRESSES[0]).split())
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert len([part for part in result.output.splitlines() if part.strip()]) == 1
    assert not (folder / "out").exists()


@pytest.mark.skipif(BACKEND != "torch", reason="the factory is one of PyTorch")
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("torch:own_mode:make", "there is no module own_mode"),
        ("torch:own_model:made", "own_model.py has no made"),
        ("torch:own_model:make?predicts=image&factory_options.x=1", "make(x=1) raises TypeError"),
        ("jax:own_model:make", "needs the backend jax"),
    ],
)
def test_imports_that_fail_are_one_line(gahr, folder, address, message):
    result = gahr("inspect", address)
    assert result.exit_code == 2, result.output
    first, error = result.output.splitlines()
    assert first.startswith("importing own_mode")
    assert message in error


def test_the_help_of_models_names_addresses(gahr):
    for command in ("denoise", "sample", "inspect", "compare"):
        text = " ".join(gahr(command, "--help").output.split())
        assert "torch:package.module:factory" in text.replace(" ", "").replace("│", "")


def test_a_run_that_names_code_to_start_from_imports_nothing(folder, gahr):
    (folder / "options.json").write_text('{"start_from": "torch:own_model:make?predicts=image"}')
    result = gahr("train", "images.npy", "--out", "out", "--config", "options.json")
    assert result.exit_code == 2, result.output
    assert "this takes those of this package only" in result.output
    assert "own_model" not in sys.modules
