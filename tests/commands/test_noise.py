"""`gahr noise`."""

import json
import re

import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.datasets import write_image

pytestmark = pytest.mark.one_backend


@pytest.fixture
def model(smooth_images, tmp_path):
    """A Wiener filter of images of one size that estimates the noise level."""
    path = tmp_path / "wiener.keras"
    kg.save_denoiser(kg.baselines.Wiener.from_images(smooth_images(12, 16, 16)), path)
    return path


@pytest.fixture
def noisy(smooth_images, tmp_path):
    """Three noisy images in an array, and a picture in colour."""
    images = smooth_images(3, 16, 16)
    images = images + 0.1 * np.random.default_rng(0).standard_normal(images.shape)
    np.save(tmp_path / "noisy.npy", images)
    write_image(tmp_path / "colour.png", np.concatenate([*images], axis=-1))
    return images


def test_a_table_of_levels(gahr, model, noisy, tmp_path):
    given = [tmp_path / name for name in ("noisy.npy", "colour.png")]
    result = gahr("noise", model, *given, "--count", 2, "--probes", 8, "--seed", 3)
    assert result.exit_code == 0, result.output
    header, *rows = filter(str.strip, result.output.splitlines())
    assert header.split()[:5] == ["image", "plain", "corrected", "95%", "wavelets"]
    assert [row.split()[0] for row in rows] == ["noisy.npy[0]", "noisy.npy[1]", "colour.png"]
    found = kg.analysis.noise_level(model, noisy[:2], probes=8, seed=3)
    for row, *levels in zip(rows, found.plain, found.corrected, strict=False):
        shown = [float(number) / 255 for number in re.findall(r"([\d.]+)/255", row)]
        assert shown[:2] == pytest.approx(levels, abs=1e-4)
        assert shown[1] == pytest.approx(0.1, rel=0.15)


def test_a_calibration(gahr, model, smooth_images, tmp_path):
    np.save(tmp_path / "clean.npy", smooth_images(4, 16, 16))
    out = tmp_path / "out"
    options = ("--calibrate", "--sigmas", "0.1,25/255", "--probes", 4, "--out", out)
    result = gahr("noise", model, tmp_path / "clean.npy", *options)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == [
        "noise_calibration.json",
        "noise_calibration.npz",
        "noise_calibration.png",
    ]
    numbers = json.loads((out / "noise_calibration.json").read_text())
    assert [level["sigma"] for level in numbers["levels"]] == [25 / 255, 0.1]
    ratio = numbers["levels"][1]["corrected"]["ratio"]
    assert f"{ratio:.3f}" in result.output and "means of 4 image(s)" in result.output
    assert numbers["sources"] == ["clean.npy"] and numbers["probes"] == 4
    again = gahr("noise", model, tmp_path / "clean.npy", *options)
    assert again.exit_code == 2 and "--overwrite" in again.output


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--calibrate",), "--calibrate and --out"),
        (("--out", "x"), "--calibrate and --out"),
        (("--sigmas", "0.1"), "--sigmas without --calibrate"),
    ],
)
def test_mistakes(gahr, model, noisy, tmp_path, options, reason):
    result = gahr("noise", model, tmp_path / "noisy.npy", *options)
    assert result.exit_code == 2
    assert reason in result.output
