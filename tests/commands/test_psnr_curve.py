"""`gahr psnr`."""

import csv
import json

import numpy as np
import pytest

from keras_gahr.analysis import psnr_curve
from keras_gahr.baselines import Wiener
from keras_gahr.denoisers import Denoiser, build_denoiser, save_denoiser
from keras_gahr.psnr import SIGMAS


@pytest.fixture
def images(smooth_images, tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, smooth_images(12, 16, 16))
    return path


def test_train_and_test_curves(gahr, tiny_model, images, tmp_path):
    out = tmp_path / "out"
    options = ("--train-size", 8, "--half", "B", "--sigmas", "10/255,50/255,0.1", "--draws", 2)
    result = gahr("psnr", tiny_model, images, "--out", out, *options, "--alpha", 2)
    assert result.exit_code == 0, result.output
    assert "train: 8 images" in result.output
    assert "optimal: 0.667" in result.output
    assert sorted(path.name for path in out.iterdir()) == [
        "psnr.csv",
        "psnr.json",
        "psnr.npz",
        "psnr.png",
    ]
    numbers = json.loads((out / "psnr.json").read_text())
    assert numbers["test"]["images"] == 1
    assert numbers["test"]["slope"]["interval"] == [None, None]
    low, high = numbers["train"]["slope"]["interval"]
    assert low < numbers["train"]["slope"]["slope"] < high
    with open(out / "psnr.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["set"] for row in rows] == ["train"] * 3 + ["test"] * 3
    arrays = np.load(out / "psnr.npz")
    assert arrays["after_train"].shape == (3, 2, 8)
    assert float(rows[1]["denoised"]) == pytest.approx(arrays["after_train"][1].mean())
    assert "exists" in gahr("psnr", tiny_model, images, "--out", out, *options).output


def test_one_level_of_all_images(gahr, tiny_model, images, tmp_path):
    options = ("--sigmas", "0.1", "--draws", 1, "--count", 3, "--format", "pdf")
    result = gahr("psnr", tiny_model, images, "--out", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "psnr.pdf").is_file()
    assert not (tmp_path / "out" / "psnr.png").exists()
    numbers = json.loads((tmp_path / "out" / "psnr.json").read_text())
    assert numbers["all"]["images"] == 3
    assert numbers["all"]["slope"] is None
    assert numbers["all"]["levels"][0]["error_over_draws"] is None


def test_a_baseline_is_told_each_level(gahr, images, tmp_path):
    model = tmp_path / "wiener.keras"
    save_denoiser(Wiener.from_images(np.load(images)), model)
    options = ("--sigmas", "0.05,0.1", "--draws", 1, "--told")
    result = gahr("psnr", model, images, "--out", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    found = np.load(tmp_path / "out" / "psnr.npz")["after_all"]
    expected = psnr_curve(Wiener.from_images(np.load(images), sigma=0.1), np.load(images), [0.1])
    np.testing.assert_allclose(found[1], expected.after[0], rtol=1e-6)
    assert json.loads((tmp_path / "out" / "psnr.json").read_text())["told"] is True


@pytest.mark.one_backend
def test_what_cannot_be_measured(refused, tiny_model, images, tmp_path):
    def error(*options, model=tiny_model, data=images):
        line = refused("psnr", model, data, "--out", tmp_path / "out", *options)
        assert not (tmp_path / "out").exists()
        return line

    assert "25/255" in error("--sigmas", "10/255,large")
    assert "above 0" in error("--sigmas", "0,0.1")
    assert "twice" in error("--sigmas", "0.1,0.1")
    assert "0 noise level(s)" in error("--fit-from", 1.5, "--sigmas", "0.1,0.2")
    assert "alpha" in error("--alpha", -1)
    assert "12 training and 1 test" in error("--train-size", 12)
    assert "without --train-size" in error("--test-size", 3)
    assert "expected A or B" in error("--train-size", 4, "--half", "C")
    assert "--half B without --train-size: give both, or none" in error("--half", "B")
    assert "does not exist" in error(data=tmp_path / "none.npy")
    conditional = build_denoiser("bf-cnn-rf", receptive_field=5, num_kernels=2, coarse=False)
    save_denoiser(conditional, tmp_path / "conditional.keras")
    assert "conditional" in error(model=tmp_path / "conditional.keras")
    np.save(tmp_path / "odd.npy", np.zeros((2, 18, 18), np.float32))
    assert "multiples of 4" in error(data=tmp_path / "odd.npy")


@pytest.mark.one_backend
def test_levels_that_a_network_does_not_know_are_left_out(
    gahr, tiny_model, images, tmp_path, monkeypatch
):
    """As of one that is trained on [-1, 1] with some hundredths of noise and more."""
    monkeypatch.setattr(Denoiser, "limits", (0.01, 0.5))
    out = tmp_path / "out"
    result = gahr("psnr", tiny_model, images, "--out", out, "--draws", 1)
    assert result.exit_code == 0, result.output
    assert "4 of 10 noise levels were left out" in result.output
    assert np.load(out / "psnr.npz")["sigmas"] == pytest.approx(SIGMAS[2:8])
