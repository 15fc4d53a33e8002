"""`gahr restore`."""

import json

import numpy as np
import pytest

from keras_gahr.datasets import read_image, write_image

QUICK = ("--beta", 0.3, "--sigma-end", 0.05, "--repeat", 1)


@pytest.fixture
def picture(tmp_path, smooth_images):
    write_image(tmp_path / "wave.png", smooth_images(1, 20, 24)[0])
    return tmp_path / "wave.png"


def test_a_picture_and_its_small_version(gahr, tiny_model, picture, tmp_path):
    out = tmp_path / "out"
    options = ("--measurement", "super-resolution:2", *QUICK)
    result = gahr("restore", tiny_model, picture, "--crop", 16, "--out", out, *options)
    assert result.exit_code == 0, result.output
    assert "wave " in result.output and "PSNR" in result.output
    assert (out / "wave" / "figure.png").stat().st_size > 1000
    small = out / "wave" / "measurement.png"
    assert read_image(small).shape == (8, 8, 1)
    again = tmp_path / "again"
    options = (*options, "--format", "svg")
    result = gahr("restore", tiny_model, small, "--measured", "--out", again, *options)
    assert result.exit_code == 0, result.output
    assert "PSNR" not in result.output
    first = np.load(out / "wave" / "sample.npy")
    found = np.load(again / "measurement" / "sample.npy")
    # The small picture has 8 bits.
    assert found == pytest.approx(first, abs=0.02)
    assert not (again / "measurement" / "clean.npy").exists()
    drawn = {path.name for path in (again / "measurement").glob("figure.*")}
    assert drawn == {"figure.svg"}


@pytest.mark.one_backend
def test_another_sampler(gahr, tiny_model, picture, tmp_path):
    options = ("--measurement", "super-resolution:2", "--sampler", "multistep", "--repeat", 1)
    more = ("--steps", 8, "--sigma-end", 0.05, "--crop", 16)
    result = gahr("restore", tiny_model, picture, "--out", tmp_path / "out", *options, *more)
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "restoration.json").read_text())
    assert (report["sampler"], report["schedule"]["steps"]) == ("multistep", 8)


@pytest.mark.one_backend
def test_samples_that_do_not_converge_are_named(gahr, tiny_model, picture, tmp_path):
    options = ("--measurement", "random-pixels:0.5", "--max-steps", 2, *QUICK)
    result = gahr("restore", tiny_model, picture, "--out", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    assert "wave (1 of 1) ran out of steps" in result.output


@pytest.mark.one_backend
def test_what_cannot_be_restored_is_refused(refused, tiny_model, picture, tmp_path):
    def error(*options, measurement="super-resolution:2", source=picture):
        arguments = ("--measurement", measurement, "--out", tmp_path / "out", *options)
        return refused("restore", tiny_model, source, *arguments)

    assert "expected one of" in error(measurement="sharpen")
    assert "multiples of 3" in error("--crop", 16, measurement="super-resolution:3")
    assert "multiples of 4" in error("--crop", 18)
    assert "does not fit" in error("--crop", 64)
    assert "HEIGHTxWIDTH" in error("--crop", "big")
    assert "--crop" in error("--size", 16)
    assert "does not exist" in error(source=tmp_path / "none.png")
    assert "beta" in error("--beta", 2)
    assert not (tmp_path / "out").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]
    (tmp_path / "out").mkdir()
    assert "exists" in error()
    assert "restoration.json" in error("--overwrite")
