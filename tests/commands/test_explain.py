"""`gahr explain`."""

import json

import numpy as np
import pytest

from keras_gahr.baselines import EmpiricalBayes
from keras_gahr.denoisers import save_denoiser

pytestmark = pytest.mark.one_backend

FAST = ("--images", 4, "--samples", 1, "--steps", 2, "--patch", 3, "--sigma", "25/255")


@pytest.fixture
def files(smooth_images, tmp_path):
    """Images, and the memorizers of the first eight and of the last eight."""
    images = smooth_images(24, 8, 8)
    np.save(tmp_path / "images.npy", images)
    for name, part in (("a", images[:8]), ("b", images[-8:])):
        save_denoiser(EmpiricalBayes(part), tmp_path / f"{name}.keras")
    return images, tmp_path / "images.npy"


def test_it_writes_what_the_function_finds(gahr, files, tmp_path):
    _, dataset = files
    model, out = tmp_path / "a.keras", tmp_path / "out"
    options = ("--train-size", 8, "--out", out, "--seed", 2, *FAST)
    twin = ("--twin", tmp_path / "b.keras", "--rival", f"law={tmp_path / 'b.keras'}")
    page = tmp_path / "page"
    result = gahr("explain", model, dataset, *options, *twin, "--page", page)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == [
        "explanation.json",
        "explanation.npz",
        "explanation.png",
        "samples.png",
    ]
    numbers = json.loads((out / "explanation.json").read_text())
    with np.load(out / "explanation.npz") as arrays:
        rivals = arrays["rivals"].tolist()
        shares = arrays["unexplained_test"][0].mean(axis=1)
        error = arrays["error"][0, 0]
    found = numbers["test"][0]["rivals"]
    assert [found[name]["unexplained"]["mean"] for name in rivals] == pytest.approx(shares)
    assert rivals[-1] == "law"
    # Neither network saw what lies in the middle, from which copies are far.
    assert error.min() > (25 / 255) ** 2 / 10
    assert numbers["twins"][0]["beyond"]["mean"] < 1
    assert f"explained by: {numbers['verdict']}" in result.output
    assert "8 training images (8 for local)" in result.output
    text = (page / "report.md").read_text("utf-8")
    assert f"Explained by: {numbers['verdict']}." in text
    for name in ("Samples", "Near training images", "What twins agree on", "law"):
        assert name in text
    assert {path.name for path in (page / "pictures").iterdir()} == {
        "explanation.png",
        "samples.png",
    }
    assert "exists" in gahr("explain", model, dataset, *options).output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "were not trained on: give --test"),
        (("--train-size", 13, "--twin", "a.keras"), "no more than half"),
        (("--half", "B"), "--half B without --train-size: give both, or none"),
        (("--train-size", 8, "--rival", "law"), "expected NAME=MODEL"),
        (("--train-size", 8, "--patch", "4"), "odd number"),
        (("--train-size", 8, "--patch", "no.csv"), "no.csv"),
        (("--train-size", 8, "--twin", "no.keras"), "no.keras"),
    ],
)
def test_mistakes_are_told_in_a_line(gahr, files, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    # The last of an option is the one that counts.
    result = gahr("explain", "a.keras", "images.npy", "--out", "out", *FAST, *options)
    assert result.exit_code == 2
    assert words in result.output
    assert not (tmp_path / "out").exists()
