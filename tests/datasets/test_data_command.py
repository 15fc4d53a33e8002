import os

import numpy as np
import pytest
from PIL import Image
from systems import needs_pipes
from typer.testing import CliRunner

from keras_gahr.commands.data import data_app
from keras_gahr.datasets import load
from keras_gahr.errors import InputError


def run(*arguments):
    return CliRunner().invoke(data_app, [str(argument) for argument in arguments])


def test_faces(half_files, folder_of, tmp_path):
    source = folder_of({**half_files, "bad.jpg": b"text", ".x/up\x1b[A.jpg": b"", "a\nb.txt": b""})
    out = tmp_path / "out"
    refused = run("faces", source, out)
    assert isinstance(refused.exception, InputError)
    assert not out.exists()
    made = run("faces", source, out, "--size", 20, "--color", "--dtype", "uint8", "--skip-bad")
    assert made.exit_code == 0, made.output
    assert "5 images of 20x20x3 uint8" in made.stdout
    assert "3 left out: .x/up\\x1b[A.jpg (hidden), a\\nb.txt (not a picture" in made.stdout
    assert "bad.jpg (bad.jpg is" in made.stdout
    assert made.stdout.count("\n") == 1
    assert load(out).images.shape == (5, 20, 20, 3)
    assert Image.open(out / "contact_sheet.png").mode == "RGB"


@needs_pipes
@pytest.mark.parametrize(
    "arguments",
    [
        "faces PIPE out",
        "folder PIPE out",
        "array PIPE out",
        "mnist PIPE out",
        "ray PIPE out",
        "shuffled PIPE out",
        "bands PIPE out",
        "dedup PIPE out",
        "overlap PIPE PIPE",
        "overlap PIPE data",
        "show PIPE",
        "show data",
        "dedup data out",
    ],
)
def test_nobody_waits_for_pipes_and_devices(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    os.mkdir("data")
    os.mkfifo("data/manifest.json")
    for name in ("pipe", "pipe.npy", "pipe.npz", "pipe.tar", "pipe.png"):
        os.mkfifo(name)
    os.symlink("/dev/zero", "zeros.npy")
    for name in ("pipe", "pipe.npy", "pipe.npz", "pipe.tar", "pipe.png", "zeros.npy", "/dev/zero"):
        done = run(*arguments.replace("PIPE", name).split())
        assert isinstance(done.exception, InputError)
        assert "\n" not in str(done.exception)
    assert not os.path.exists("out")


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


def summary_of(*arguments):
    made = run(*arguments)
    assert made.exit_code == 0, made.output
    return made.stdout


def test_disks_with_fixed_parameters(tmp_path):
    options = ["--wrap", "--centred", "--radius", 0.25, "--foreground", 1, "--background", 0]
    summary_of("disks", tmp_path / "out", "--count", 3, "--size", 16, *options)
    dataset = load(tmp_path / "out")
    assert (dataset.images == dataset.images[0]).all()
    assert dataset.manifest["parameters"]["centre"] == [0.5, 0.5]
    assert dataset.manifest["parameters"]["radii"] == [0.25, 0.25]


def test_c_alpha(tmp_path):
    out = tmp_path / "out"
    options = ["--alpha", 1.5, "--beta", 3, "--blurred", "--antialias", 2, "--wavelet", "db2"]
    text = summary_of("c-alpha", out, "--count", 20, "--size", 12, "--seed", 2, *options)
    assert "20 images of 12x12x1 float32" in text
    parameters = load(out).manifest["parameters"]
    assert {name: parameters[name] for name in ("alpha", "beta", "blurred", "wavelet")} == {
        "alpha": 1.5,
        "beta": 3,
        "blurred": True,
        "wavelet": "db2",
    }
    assert (out / "contact_sheet.png").exists()
    summary_of(
        "c-alpha", out, "--count", 2, "--size", 12, "--constant", "--separable", "--overwrite"
    )
    assert isinstance(run("c-alpha", tmp_path / "no", "--alpha", 0).exception, InputError)


def test_sines_ray_and_shuffled(tmp_path):
    sines, ray, shuffled, back = (tmp_path / name for name in ("sines", "ray", "shuffled", "back"))
    assert "30 images of 16x16x1" in summary_of("sines", sines, "--count", 30, "--size", 16)
    np.save(tmp_path / "image.npy", load(sines).images[4])
    assert "9 images of 16x16x1" in summary_of("ray", tmp_path / "image.npy", ray, "--count", 9)
    assert "30 images" in summary_of("shuffled", sines, shuffled, "--seed", 3)
    assert "30 images" in summary_of("shuffled", shuffled, back, "--inverse")
    np.testing.assert_array_equal(load(back).images, load(sines).images)
    assert isinstance(run("shuffled", sines, tmp_path / "no", "--inverse").exception, InputError)
