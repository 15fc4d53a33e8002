"""`gahr eigenbasis`."""

import json

import numpy as np
import pytest

from keras_gahr.baselines import Wiener
from keras_gahr.datasets import make_disks
from keras_gahr.denoisers import save_denoiser

pytestmark = pytest.mark.one_backend

QUICK = ("--count", 6)


@pytest.fixture(scope="module")
def disks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "disks"
    make_disks(folder, 3, 16, 0)
    return folder


def test_numbers_figures_and_a_verdict(gahr, tiny_model, disks, tmp_path):
    out = tmp_path / "out"
    options = ("--index", 2, "--sigma", "40/255", "--spectra", "20/255", *QUICK)
    result = gahr("eigenbasis", tiny_model, disks, "--out", out, *options)
    assert result.exit_code == 0, result.output
    for text in ("effective dimension", "asymmetry", "D(y) = J y holds", "tangent space"):
        assert text in result.output
    names = ("denoising", "eigenvectors", "spectra", "spectrum")
    assert all((out / f"{name}.png").stat().st_size > 1000 for name in names)
    numbers = json.loads((out / "eigenbasis.json").read_text())
    assert numbers["sigma"] == pytest.approx(40 / 255)
    assert len(numbers["tangent_angles"]) == 5
    assert numbers["converged"]
    assert numbers["affine_part"] == numbers["linearity_error"]
    assert numbers["curvature_level"] == pytest.approx(4 / 255)
    assert numbers["mean_channel_shares"] == [1]
    assert not (out / "channels.png").exists()
    assert [row["sigma"] for row in numbers["spectra"]] == pytest.approx([40 / 255, 20 / 255])
    with np.load(out / "eigenbasis.npz") as arrays:
        assert arrays["left"].shape == (6, 16, 16, 1)
        assert arrays["spectra_shrinkage"].shape == (2, 6)
        coefficients = arrays["left"].reshape(6, -1) @ arrays["clean"].ravel()
        np.testing.assert_allclose(arrays["coefficients"], coefficients, atol=1e-5)


def test_exact_singular_vectors_of_a_crop(gahr, tiny_model, smooth_images, tmp_path):
    np.save(tmp_path / "image.npy", smooth_images(1, 20, 30)[0])
    arguments = ("eigenbasis", tiny_model, tmp_path / "image.npy", "--out", tmp_path / "out")
    options = ("--crop", "4x4+3+4", "--method", "exact", "--singular", "--count", 16)
    result = gahr(*arguments, *options, "--format", "svg")
    assert result.exit_code == 0, result.output
    drawn = {path.stem for path in (tmp_path / "out").glob("*.svg")}
    assert drawn == {"denoising", "eigenvectors", "spectrum"}
    numbers = json.loads((tmp_path / "out" / "eigenbasis.json").read_text())
    assert numbers["products"] == 16
    assert numbers["reconstruction_error"] < 1e-5
    assert numbers["oracle_psnr"]["eigenvectors"]["psnr"] > numbers["psnr_noisy"]
    with np.load(tmp_path / "out" / "eigenbasis.npz") as arrays:
        expected = smooth_images(1, 20, 30)[0, 3:7, 4:8]
        np.testing.assert_array_equal(arrays["clean"], expected)
    result = gahr(*arguments, *options, "--sigma", 0, "--overwrite")
    assert result.exit_code == 0, result.output
    assert not list((tmp_path / "out").glob("*.svg"))


def test_what_is_not_bias_free_is_said(gahr, smooth_images, tmp_path):
    images = smooth_images(30, 4, 4, 3)
    save_denoiser(Wiener.from_images(images, sigma=0.2), tmp_path / "wiener.keras")
    np.save(tmp_path / "image.npy", images[0])
    arguments = (tmp_path / "wiener.keras", tmp_path / "image.npy", "--out", tmp_path / "out")
    options = ("--method", "exact", "--count", 10, "--sigma", 0.2)
    result = gahr("eigenbasis", *arguments, *options)
    assert result.exit_code == 0, result.output
    numbers = json.loads((tmp_path / "out" / "eigenbasis.json").read_text())
    assert numbers["affine_part"] > 0.1 and numbers["curvature"] == 0
    part = f"not homogeneous: affine part |b| / |D(y)| {100 * numbers['affine_part']:.1f} %"
    shares = ", ".join(f"{100 * share:.1f} %" for share in numbers["mean_channel_shares"])
    for text in (part, "curvature 0.0 % at noise of 0.02", "asymmetry", f"on average: {shares}"):
        assert text in result.output
    assert (tmp_path / "out" / "channels.png").stat().st_size > 1000
    with np.load(tmp_path / "out" / "eigenbasis.npz") as arrays:
        found = arrays["channel_shares"]
    np.testing.assert_allclose(found.sum(axis=1), np.ones(10), atol=1e-12)
    np.testing.assert_allclose(found.mean(axis=0), numbers["mean_channel_shares"], atol=1e-12)


def test_what_cannot_be_analyzed_is_refused(refused, tiny_model, disks, tmp_path):
    def error(*options, image=disks):
        return refused("eigenbasis", tiny_model, image, "--out", tmp_path / "out", *options)

    assert "index from 0" in error("--index", 3)
    assert "does not fit" in error("--crop", 20)
    assert "does not fit" in error("--crop", "8x8+10+0")
    assert "multiples of 4" in error("--crop", 6)
    assert "expected 1 to 256" in error("--count", 257)
    assert "noise level" in error("--sigma", "loud")
    assert "noise level" in error("--spectra", "0.1,,0.2")
    assert "does not exist" in error(image=tmp_path / "none.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert "not an image" in error(image=tmp_path / "broken.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert "exists" in error()
    assert "eigenbasis.json" in error("--overwrite")
