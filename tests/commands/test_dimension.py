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
    assert numbers["places"] == [0, 10, 19]
    assert f"3 images of 64 values: dimension {expected.value.mean():.3g}" in result.output


def test_parts_of_training_images_that_are_not_given(refused, smooth_images, tmp_path):
    known, images, out = smooth_images(4, 8, 8), tmp_path / "images.npy", tmp_path / "out"
    np.save(images, known)
    kg.save_denoiser(kg.baselines.EmpiricalBayes(known), tmp_path / "model.keras")
    for options, message in (
        (("--half", "B"), "--half B without --train-size: give both"),
        (("--half", "B", "--train", images), "--half B without --train-size: give both"),
        (("--train-size", 3), "--train-size without --train: give both"),
    ):
        assert message in refused(
            "dimension", tmp_path / "model.keras", images, "--out", out, *options
        )
        assert not out.exists()


def test_spectra_and_copies(gahr, smooth_images, tmp_path):
    """Of a network that returns its training images, copies have no directions left."""
    images = smooth_images(24, 8, 8)
    kg.save_denoiser(kg.baselines.EmpiricalBayes(images[:8]), tmp_path / "copier.keras")
    np.save(tmp_path / "training.npy", images)
    between = (images[:4] + images[4:8]) / 2
    (tmp_path / "drawn").mkdir()
    np.save(tmp_path / "drawn" / "samples.npy", np.concatenate([images[:4] + 0.001, between]))
    options = ("--train", tmp_path / "training.npy", "--train-size", 8, "--spectrum", 4)
    out = tmp_path / "out"
    result = gahr(
        *("dimension", tmp_path / "copier.keras", tmp_path / "drawn", "--out", out, *options),
        *("--sigma", 0.05, "--sigma", 0.2, "--draws", 2, "--probes", 2),
    )
    assert result.exit_code == 0, result.output
    assert {"copies.png", "spectrum.png"} < {path.name for path in out.iterdir()}
    numbers = json.loads((out / "dimension.json").read_text())
    assert numbers["copies"]["copies"] == [True] * 4 + [False] * 4
    assert numbers["half"] == "A" and numbers["training_set"] == "training.npy"
    arrays = np.load(out / "dimension.npz")
    assert arrays["spectrum_nodes"].shape == (2, 8, 2, 4)
    assert arrays["ratio"].shape == (8,)
    spectrum = numbers["levels"][1]["spectrum"]
    low, high = spectrum["mean_above_95"]
    assert f"{spectrum['mean_above']:.4g} (95%: {low:.3g} to {high:.3g})" in result.output
    assert "copies of 8 training images: 4 of 8, of lower dimension in" in result.output
    assert "; rank correlation of dimension and d1 / d2 " in result.output


def test_multiples_of_images_are_told_by_sines(gahr, smooth_images, tmp_path):
    images = smooth_images(12, 8, 8)
    kg.save_denoiser(kg.baselines.EmpiricalBayes(images[:8]), tmp_path / "copier.keras")
    np.save(tmp_path / "training.npy", images[:8])
    np.save(tmp_path / "images.npy", np.concatenate([0.7 * images[:2], images[8:]]))
    result = gahr(
        *("dimension", tmp_path / "copier.keras", tmp_path / "images.npy", "--sigma", 0.1),
        *("--train", tmp_path / "training.npy", "--up-to-a-factor", "--out", tmp_path / "out"),
        *("--draws", 2, "--probes", 2),
    )
    assert result.exit_code == 0, result.output
    assert "; rank correlation of dimension and sine 1 / sine 2 " in result.output
