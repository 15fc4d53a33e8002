"""`gahr density`."""

import csv
import json

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.analysis import log_density
from keras_gahr.analysis.density import kept

pytestmark = pytest.mark.one_backend

FEW = 12
"""As few evaluations as there may be, where it does not matter what is found."""


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
    # A closed form is told the noise level: the gradient that it should be.
    assert numbers["asymmetry"] < 1e-3 and numbers["asymmetry_sigma"] == 0.1
    assert numbers["others"]["sigmas"] == numbers["sigmas"]
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


def test_images_are_named_by_their_places_in_the_dataset(gahr, files, tmp_path):
    model, images = files
    out, dataset = tmp_path / "out", np.load(images)
    options = ("--evaluations", FEW, "--count", 5, "--against", tmp_path / "others.npy")
    result = gahr("density", model, images, "--out", out, *options)
    assert result.exit_code == 0, result.output
    numbers = json.loads((out / "density.json").read_text())
    assert numbers["places"] == [0, 5, 10, 14, 19]
    assert numbers["others"]["places"] == [0, 1, 2, 4, 5]
    with open(out / "density.csv", newline="") as file:
        found = {int(row["image"]): float(row["log_density"]) for row in csv.DictReader(file)}
    assert found == dict(zip(numbers["places"], numbers["log_density"], strict=True))
    order = sorted(found, key=found.get, reverse=True)
    most, least = (", ".join(map(str, places)) for places in (order, order[::-1]))
    assert f"most probable: {most}; least: {least}\n" in result.output
    with np.load(out / "density.npz") as arrays:
        np.testing.assert_array_equal(arrays["images"], dataset[order])
        assert arrays["places"].tolist() == numbers["places"]
        assert arrays["others_places"].tolist() == numbers["others"]["places"]


@pytest.fixture
def stopped(gahr, files, tmp_path, monkeypatch):
    """Runs a command that is stopped in its second block; returns a function that runs it again.

    That returns its exit code and where the blocks began that it computed anew.
    """
    begun = []

    def log_density_of_one(*arguments, **named):
        begun.append(named["first"])
        if len(begun) == 2:
            raise KeyboardInterrupt
        return log_density(*arguments, **named)

    monkeypatch.setattr(kept, "log_density", log_density_of_one)
    command = ("density", *files, "--evaluations", FEW, "--out", tmp_path / "out")
    assert gahr(*command).exit_code != 0
    assert not (tmp_path / "out").exists()

    def again():
        begun.clear()
        begun.append(None)  # Of which the second is stopped.
        begun.append(None)
        result = gahr(*command)
        return result, begun[2:]

    return again


def test_a_stopped_command_goes_on_where_it_was(stopped, files, tmp_path):
    result, begun = stopped()
    assert result.exit_code == 0 and begun == [16]
    model, images = files
    found = json.loads((tmp_path / "out" / "density.json").read_text())["log_density"]
    expected = log_density(kg.load_denoiser(model), np.load(images), evaluations=FEW)
    np.testing.assert_allclose(found, expected.log_density, rtol=1e-6)
    assert not list(tmp_path.glob("*.jsonl"))


def _with(old, new):
    def change(path):
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new))

    return change


@pytest.mark.parametrize(
    "change",
    [
        _with(b'"evaluations": [', b'"evaluations": [9'),
        _with(b'"found": {', b'"found": {"more": 1, '),
        lambda path: path.write_bytes(b"\xff\x00" * 99),
        lambda path: path.write_bytes(b"[" * 100_000 + b"\n"),
    ],
)
def test_what_a_stopped_command_left_counts_only_whole(stopped, tmp_path, change):
    change(tmp_path / "out.unfinished.jsonl")
    result, begun = stopped()
    assert result.exit_code == 0 and begun == [0, 16]


@pytest.mark.parametrize("what", ["model", "images"])
def test_what_a_stopped_command_left_counts_only_for_the_same(stopped, files, smooth_images, what):
    """Of a file that was replaced by another one of the same name."""
    model, images = files
    if what == "model":
        kg.save_denoiser(kg.baselines.Wiener.from_images(smooth_images(30, 8, 8)), model)
    else:
        np.save(images, np.load(images)[::-1])
    assert stopped()[1] == [0, 16]


def test_what_is_in_the_place_of_what_a_stopped_command_leaves(gahr, files, tmp_path):
    (tmp_path / "out.unfinished.jsonl").mkdir()
    result = gahr("density", *files, "--out", tmp_path / "out")
    assert result.exit_code == 2 and "out.unfinished.jsonl is a folder: remove it" in result.output
