"""`gahr assemble`, on networks that `gahr train` made of the bands of images."""

import numpy as np
import pytest

from keras_gahr import load_denoiser

pytestmark = pytest.mark.one_backend


def test_bands_are_trained_and_put_together(gahr, refused, tmp_path, smooth_images):
    np.save(tmp_path / "images.npy", smooth_images(12, 16, 16))
    quick = ("--num-kernels", 2, "--epochs", 1, "--images-per-epoch", 8, "--batch-size", 8)
    models = {}
    for name, bands, network in (
        ("low", ("--low",), ("--architecture", "bf-cnn", "--num-layers", 3)),
        ("details", (), ("--architecture", "bf-cnn-rf", "--receptive-field", 5, "--conditional")),
    ):
        data, run = tmp_path / f"{name}-bands", tmp_path / name
        made = gahr("data", "bands", tmp_path / "images.npy", data, *bands)
        assert made.exit_code == 0, made.output
        result = gahr("train", data, "--out", run, *quick, *network)
        assert result.exit_code == 0, result.output
        models[name] = run / "model.keras"

    out = tmp_path / "whole.keras"
    result = gahr("assemble", models["low"], models["details"], "--out", out)
    assert result.exit_code == 0, result.output
    assert "1 scale(s)" in result.output
    assert load_denoiser(out).denoise(smooth_images(2, 16, 16)).shape == (2, 16, 16, 1)

    assert "exists" in refused("assemble", models["low"], models["details"], "--out", out)
    other = tmp_path / "other.keras"
    assert "expected from 4" in refused("assemble", models["low"], models["low"], "--out", other)
    assert ".keras" in refused("assemble", models["low"], models["details"], "--out", "x.pt")
