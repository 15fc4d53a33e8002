"""`gahr dimension`."""

import json

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.analysis import local_dimension

pytestmark = pytest.mark.one_backend


def test_it_writes_what_the_function_finds(gahr, smooth_images, tmp_path):
    images = smooth_images(20, 8, 8)
    kg.save_denoiser(kg.baselines.Wiener.from_images(images), tmp_path / "wiener.keras")
    np.save(tmp_path / "images.npy", images)
    options = ("--count", 3, "--draws", 2, "--sigma", "10/255", "--sigma", 0.1, "--seed", 2)
    out = tmp_path / "out"
    model = tmp_path / "wiener.keras"
    result = gahr("dimension", model, tmp_path / "images.npy", "--out", out, *options)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == [
        "dimension.json",
        "dimension.npz",
        "dimension.png",
    ]
    expected = local_dimension(
        kg.load_denoiser(model), images[[0, 10, 19]], [10 / 255, 0.1], draws=2, seed=2
    )
    numbers = json.loads((out / "dimension.json").read_text())
    np.testing.assert_allclose(numbers["dimension"], expected.value, rtol=1e-5)
    assert f"3 images of 64 values: dimension {expected.value.mean():.3g}" in result.output
