"""Wavelet bands as datasets, and what they are kept from."""

import json

import numpy as np
import pytest
from keras import ops
from typer.testing import CliRunner

from keras_gahr import InputError
from keras_gahr.commands.app import app
from keras_gahr.datasets import band_arrays, band_pictures, load, make_bands
from keras_gahr.denoisers.haar import haar_pyramid, haar_reconstruct


@pytest.fixture
def images():
    return np.random.default_rng(0).random((5, 16, 24, 1), np.float32)


@pytest.fixture
def source(tmp_path, images):
    np.save(tmp_path / "images.npy", images)
    return tmp_path / "images.npy"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [0, 1, 2])
def test_bands_are_those_of_the_multi_scale_denoiser(scale, channels):
    images = np.random.default_rng(1).random((2, 16, 24, channels), np.float32)
    low, details = haar_pyramid(images, scale + 1)
    expected = [ops.convert_to_numpy(band) for band in (low, details[scale])]
    found = band_arrays(images, scale)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.concatenate(expected, axis=-1), atol=1e-6)
    np.testing.assert_allclose(band_arrays(images, scale, low=True), expected[0], atol=1e-6)


def test_datasets_of_all_scales_reassemble_to_the_images(tmp_path, source, images):
    low = make_bands(source, tmp_path / "low", scale=1, low=True)
    details = [make_bands(source, tmp_path / f"scale_{scale}", scale) for scale in (0, 1)]
    assert load(tmp_path / "low").images.shape == (5, 4, 6, 1)
    assert details[0].value_range == (-0.5, 1)
    assert details[0].manifest["parameters"]["scale"] == 0
    assert details[0].as_float().min() < 0
    np.testing.assert_array_equal(details[1].as_float()[..., :1], low.as_float())
    found = haar_reconstruct(low.as_float(), [bands.as_float()[..., 1:] for bands in details])
    np.testing.assert_allclose(ops.convert_to_numpy(found), images, atol=1e-6)


def test_bands_are_not_taken_for_images(tmp_path, source):
    made = make_bands(source, tmp_path / "bands")
    with pytest.raises(InputError, match="holds wavelet bands"):
        load(tmp_path / "bands")
    again = load(tmp_path / "bands", bands=True)
    assert np.array_equal(again.images, made.images)
    for command in ("show", "shuffled", "bands", "dedup"):
        arguments = ["data", command, str(tmp_path / "bands")]
        arguments += ["--out" if command == "show" else str(tmp_path / "x")]
        arguments += [str(tmp_path / "x.png")] if command == "show" else []
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2
        assert "holds wavelet bands" in result.stderr


@pytest.mark.parametrize("value", ["[0, 1]", [0], [1, 0], [-1e30, 1], [float("nan"), 1], {}])
def test_a_damaged_range_is_refused(tmp_path, source, value):
    make_bands(source, tmp_path / "bands")
    path = tmp_path / "bands" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"value_range": value}))
    with pytest.raises(InputError, match="damaged"):
        load(tmp_path / "bands", bands=True)


def test_sides_must_divide(tmp_path, source):
    for scale in (3, 40, -1):
        with pytest.raises(InputError, match=f"16x24 and scale {scale}"):
            make_bands(source, tmp_path / "bands", scale)
    assert not (tmp_path / "bands").exists()
    with pytest.raises(InputError, match="to read from"):
        make_bands(source, source)


def test_the_command_draws_the_bands(tmp_path, source, images):
    result = CliRunner().invoke(app, ["data", "bands", str(source), str(tmp_path / "bands")])
    assert result.exit_code == 0, result.output
    assert "5 images of 8x12x4 float32" in result.stdout
    assert (tmp_path / "bands" / "contact_sheet.png").is_file()
    pictures = band_pictures(load(tmp_path / "bands", bands=True).as_float())
    assert pictures.shape == images.shape
    grey = band_pictures(band_arrays(np.full((1, 4, 4, 1), 0.25, np.float32)))
    assert np.array_equal(grey[0, :2, :2, 0], np.full((2, 2), 0.25, np.float32))
    assert np.all(grey[0, 2:, :, 0] == 0.5)
