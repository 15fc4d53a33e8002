"""`gahr density`."""

import csv
import json

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr import analysis
from keras_gahr.analysis import log_density

pytestmark = pytest.mark.one_backend


@pytest.fixture
def files(smooth_images, tmp_path):
    """A denoiser and images."""
    images = smooth_images(40, 8, 8)
    kg.save_denoiser(kg.baselines.Wiener.from_images(images), tmp_path / "wiener.keras")
    np.save(tmp_path / "images.npy", images[:20])
    np.save(tmp_path / "others.npy", np.random.default_rng(0).random((6, 8, 8)))
    return tmp_path / "wiener.keras", tmp_path / "images.npy"


def test_it_writes_what_the_function_finds(gahr, files, tmp_path):
    model, images = files
    options = ("--evaluations", 40, "--seed", 2, "--against", tmp_path / "others.npy")
    out = tmp_path / "out"
    result = gahr("density", model, images, "--out", out, "--twin", model, *options)
    assert result.exit_code == 0, result.output
    numbers = json.loads((out / "density.json").read_text())
    found = log_density(kg.load_denoiser(model), np.load(images), seed=2, evaluations=40)
    np.testing.assert_allclose(numbers["log_density"], found.log_density, rtol=1e-6)
    assert numbers["agreement"]["value"] == pytest.approx(1)
    assert numbers["told_apart"]["value"] > 0.9
    # It estimates the noise level there, so that it is no gradient.
    assert 0 < numbers["asymmetry"] < 0.2
    with open(out / "density.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["log_density"]) for row in rows] == numbers["log_density"]
    assert "20 images: " in result.output and "dequantization: none" in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "images.npy",
        "others.npy",
        "out",
        "wiener.keras",
    ]


def test_a_stopped_command_goes_on_where_it_was(gahr, files, tmp_path, monkeypatch):
    model, images = files
    options = ("--evaluations", 40, "--out", tmp_path / "out")
    calls = []

    def stopped(*arguments, **named):
        calls.append(named["first"])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return log_density(*arguments, **named)

    monkeypatch.setattr(analysis, "log_density", stopped)
    assert gahr("density", model, images, *options).exit_code != 0
    assert not (tmp_path / "out").exists()
    assert gahr("density", model, images, *options).exit_code == 0
    assert calls == [0, 16, 16]
    found = json.loads((tmp_path / "out" / "density.json").read_text())["log_density"]
    expected = log_density(kg.load_denoiser(model), np.load(images), evaluations=40)
    np.testing.assert_allclose(found, expected.log_density, rtol=1e-6)
    assert not list(tmp_path.glob("*.jsonl"))
