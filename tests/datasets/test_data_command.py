import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from keras_gahr.commands.data import data_app
from keras_gahr.datasets import load
from keras_gahr.errors import InputError


def run(*arguments):
    return CliRunner().invoke(data_app, [str(argument) for argument in arguments])


def test_faces(half_files, folder_of, tmp_path):
    source = folder_of({**half_files, "bad.jpg": b"text"})
    out = tmp_path / "out"
    refused = run("faces", source, out)
    assert isinstance(refused.exception, InputError)
    assert not out.exists()
    made = run("faces", source, out, "--size", 20, "--color", "--dtype", "uint8", "--skip-bad")
    assert made.exit_code == 0, made.output
    assert "5 images of 20x20x3 uint8" in made.stdout
    assert "1 files left out" in made.stdout
    assert made.stdout.count("\n") == 1
    assert load(out).images.shape == (5, 20, 20, 3)
    assert Image.open(out / "contact_sheet.png").mode == "RGB"


def test_disks(tmp_path):
    out = tmp_path / "out"
    made = run("disks", out, "--count", 70, "--size", 10, "--seed", 4)
    assert made.exit_code == 0, made.output
    assert "70 images of 10x10x1 float32, 0.0 MB" in made.stdout
    assert np.asarray(Image.open(out / "contact_sheet.png")).shape == (98, 98)
    assert isinstance(run("disks", out).exception, InputError)
    assert run("disks", out, "--count", 5, "--size", 10, "--overwrite").exit_code == 0
    assert len(load(out)) == 5


@pytest.mark.parametrize("arguments", [["--count", "0"], ["--size", "1"], ["--seed", "-1"]])
def test_disks_options_out_of_range(tmp_path, arguments):
    assert run("disks", tmp_path / "out", *arguments).exit_code == 2
