"""`gahr sample`."""

import json

import numpy as np
import pytest
import tolerances

QUICK = ("--beta", 0.3, "--sigma-end", 0.05, "--size", "16x20")


def test_a_grid_an_array_and_a_report(gahr, tiny_model, tmp_path):
    out = tmp_path / "out"
    result = gahr("sample", tiny_model, "--out", out, "--count", 5, "--seed", 7, *QUICK)
    assert result.exit_code == 0, result.output
    assert "5 images of 16x20" in result.output
    images = np.load(out / "samples.npy")
    assert images.shape == (5, 16, 20, 1)
    report = json.loads((out / "sampling.json").read_text())
    assert report["seed"] == 7
    assert report["denoiser"] == "tiny.keras"
    assert len(report["images"]) == 5
    assert (out / "samples.png").exists()

    small = ("--count", 2, "--seed", 7, "--batch-size", 1, *QUICK)
    assert gahr("sample", tiny_model, "--out", tmp_path / "two", *small).exit_code == 0
    two = np.load(tmp_path / "two" / "samples.npy")
    assert two == pytest.approx(images[:2], abs=tolerances.SAME_IMAGE)


def test_images_that_do_not_converge_are_named(gahr, tiny_model, tmp_path):
    options = ("--count", 3, "--max-steps", 2, *QUICK)
    result = gahr("sample", tiny_model, "--out", tmp_path / "out", *options)
    assert result.exit_code == 0
    assert "0 converged" in result.output
    assert "images 0, 1, 2 did not converge" in result.output


def test_what_cannot_be_sampled_is_refused(refused, tiny_model, tmp_path):
    def error(*options, model=tiny_model):
        return refused("sample", model, "--out", tmp_path / "out", *options)

    assert "--size" in error()
    assert "multiples of 4" in error("--size", 18)
    assert "HEIGHTxWIDTH" in error("--size", "large")
    assert "HEIGHTxWIDTH" in error("--size", "")
    assert "1000000 steps" in error("--size", 16, "--beta", 1e-17)
    assert "init_mean" in error("--size", 16, "--init-mean", "nan")
    assert "beta" in error("--size", 16, "--beta", 2)
    assert "does not exist" in error(model=tmp_path / "none.keras")
    (tmp_path / "text.keras").write_text("no model")
    assert "not a .keras file" in error(model=tmp_path / "text.keras")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert "exists" in error("--size", 16)
    assert "sampling.json" in error("--size", 16, "--overwrite")
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
