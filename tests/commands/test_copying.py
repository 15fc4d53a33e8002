"""`gahr copying`."""

import json

import keras
import numpy as np
import pytest

from keras_gahr.analysis import copying_report

pytestmark = pytest.mark.one_backend


@pytest.fixture
def images(smooth_images):
    return smooth_images(30, 8, 8)


@pytest.fixture
def files(images, tmp_path):
    """A folder as `gahr sample` makes it, and an array of training images."""
    (tmp_path / "samples").mkdir()
    # Samples leave [0, 1].
    np.save(tmp_path / "samples" / "samples.npy", images[:6] * 1.2 - 0.1)
    np.save(tmp_path / "images.npy", images)
    return tmp_path / "samples", tmp_path / "images.npy"


def test_it_writes_what_the_function_finds(gahr, files, images, tmp_path):
    samples, training = files
    np.save(tmp_path / "others.npy", images[10:16])
    out = tmp_path / "out"
    options = ("--train-size", 20, "--others", tmp_path / "others.npy", "--threshold", 0.9)
    result = gahr("copying", samples, training, "--out", out, *options, "--seed", 2)
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in out.iterdir())
    assert names == ["copying.json", "copying.npz", "copying.png"]
    expected = copying_report(
        np.load(samples / "samples.npy"),
        images[:20],
        images[20:],
        images[10:16],
        threshold=0.9,
        seed=2,
    )
    numbers = json.loads((out / "copying.json").read_text())
    found = {name: measure["value"] for name, measure in numbers["measures"].items()}
    assert found == {name: each.found.value for name, each in expected.measures.items()}
    assert (numbers["dataset"], numbers["half"], numbers["test_images"]) == ("images.npy", "A", 10)
    assert "6 samples, 20 training images, features: pixels" in result.output
    for name in expected.measures:
        assert f"{name}: " in result.output
    assert "exists" in gahr("copying", samples, training, "--out", out).output


def test_features_of_a_keras_file_and_a_test_set(gahr, files, images, tmp_path):
    samples, training = files
    model = keras.Sequential([keras.Input((None, None, 1)), keras.layers.GlobalMaxPooling2D()])
    model.save(tmp_path / "means.keras")
    np.save(tmp_path / "test.npy", images[:3])
    options = ("--test", tmp_path / "test.npy", "--features", tmp_path / "means.keras")
    result = gahr("copying", samples, training, "--out", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    numbers = json.loads((tmp_path / "out" / "copying.json").read_text())
    assert (numbers["features"], numbers["test_images"]) == ("means.keras", 3)
    assert "C_T" in numbers["measures"] and "RP" not in numbers["measures"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--features", "inception"), "features 'inception'"),
        (("--features", "none.onnx"), "none.onnx does not exist"),
        (("--threshold", 2), "threshold = 2"),
        (("--quantile", 7), "quantile = 7"),
        (("--train-size", 31), "31 training images asked for"),
        (("--train-size", 3), "received 3 training images, expected at least 4"),
        (("--half", "C"), "expected A or B"),
        (("--half", "B"), "received --half B without --train-size: give both, or none"),
        (("--test", "none"), "none does not exist"),
    ],
)
def test_mistakes_are_told_in_one_line(refused, files, tmp_path, options, message):
    assert message in refused("copying", *files, "--out", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


def test_images_of_another_size_are_refused(refused, files, tmp_path):
    np.save(tmp_path / "large.npy", np.zeros((5, 9, 9), np.uint8))
    message = refused("copying", tmp_path / "large.npy", files[1], "--out", tmp_path / "out")
    assert "samples of 9x9x1 and training images of 8x8x1" in message
