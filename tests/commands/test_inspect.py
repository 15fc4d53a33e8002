"""`gahr inspect`."""

import re
import shutil

import numpy as np
import pytest

from keras_gahr.baselines import Wiener
from keras_gahr.denoisers import save_denoiser
from keras_gahr.denoisers.bf_cnn import BFCNN


def rows_of(result):
    """The printed lines as a dictionary of the first line under each label."""
    assert result.exit_code == 0, result.output
    lines = (re.fullmatch(r"(\S.*?)\s{1,}(.*)", line) for line in result.output.splitlines())
    return {line[0][:17].strip(): line[0][17:].strip() for line in lines if line}


def error_of(row):
    return float(re.search(r"to (\S+) of", row)[1])


def test_a_checkpoint(gahr, golden, golden_index):
    result = gahr("inspect", golden / "unet_2block.pt")
    rows = rows_of(result)
    assert rows["architecture"].startswith("UNet(num_channels=1, num_blocks=2, num_kernels=8")
    assert rows["parameters"] == f"{golden_index['unet_2block']['params']:,}, trained"
    assert rows["receptive field"] == "44x44 pixels, measured"
    assert error_of(rows["homogeneity"]) < 1e-5
    assert rows["norm"] == "running standard deviations, 8 layers; stored as running_sd"
    assert "multiples of 4" in rows["input, output"]
    assert rows["provenance"] == "source: unet_2block.pt"
    assert "layout: the published UNet" in result.output
    assert "agrees to" in rows["float64 reference"]
    assert "None" not in result.output


@pytest.mark.one_backend
def test_a_file_of_ours_says_the_same(gahr, golden, tmp_path):
    assert gahr("convert", golden / "bf_cnn_rf9.pt", tmp_path / "x.keras").exit_code == 0
    of_keras = rows_of(gahr("inspect", tmp_path / "x.keras"))
    of_pt = rows_of(gahr("inspect", golden / "bf_cnn_rf9.pt"))
    del of_pt["float64 reference"]
    assert of_pt.pop("assumed").startswith("it computes the residual: the checkpoint cannot tell")
    assert of_keras == of_pt
    assert of_keras["receptive field"] == "9x9 pixels, measured"


@pytest.mark.one_backend
def test_a_network_that_is_not_homogeneous(gahr, golden):
    rows = rows_of(gahr("inspect", golden / "unet_flex_layer_color.pt", "--norm", "layer"))
    assert rows["architecture"].startswith("FlexibleUNet(num_channels=3, num_kernels=[6, 10, 14]")
    assert rows["receptive field"].startswith("the whole image")
    assert error_of(rows["homogeneity"]) > 0.1
    assert rows["norm"].startswith(
        "standard deviations of each image, of all channels together, 12"
    )


@pytest.mark.one_backend
def test_a_network_of_unknown_origin(gahr, tmp_path):
    save_denoiser(BFCNN(num_layers=3, num_kernels=8, seed=1), tmp_path / "x.keras")
    rows = rows_of(gahr("inspect", tmp_path / "x.keras"))
    assert rows["receptive field"] == "7x7 pixels, measured"
    assert rows["norm"] == "running standard deviations, 1 layers"
    assert rows["provenance"] == "not known"


@pytest.mark.one_backend
def test_a_folder_of_multi_scale_checkpoints(gahr, golden, tmp_path):
    for name, checkpoint in (("low", "bf_cnn_20_linear.pt"), ("scale_0", "bf_cnn_rf13_fine.pt")):
        (tmp_path / name).mkdir()
        shutil.copy(golden / checkpoint, tmp_path / name / "model.pt")
    rows = rows_of(gahr("inspect", tmp_path))
    assert rows["architecture"] == "MultiScaleDenoiser(num_scales=1)"
    assert rows["low_band"].startswith("BFCNN(")
    assert rows["detail_0"].startswith("ReceptiveFieldBFCNN(")
    # A pixel of the details sees 13 of the low band, each of which saw 41.
    assert rows["receptive field"] == "106x106 pixels, measured"
    assert rows["of low_band"] == "source: low/model.pt"


@pytest.mark.one_backend
def test_first_layer(gahr, refused, golden, tmp_path):
    source = golden / "bf_cnn_21_relu.pt"
    rows = rows_of(gahr("inspect", source, "--first-layer", "relu"))
    assert "first_layer_linear=False" in rows["architecture"]
    save_denoiser(BFCNN(num_layers=3, num_kernels=2), tmp_path / "x.keras")
    assert "no PyTorch checkpoint" in refused(
        "inspect", tmp_path / "x.keras", "--first-layer", "linear"
    )


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.keras", "does not exist"),
        ("absent.pt", "does not exist"),
        ("x.png", "not a .keras file"),
        (".", "holds neither the model.keras of a run nor checkpoints"),
    ],
)
def test_files_that_are_no_denoisers(refused, tmp_path, name, message):
    (tmp_path / "x.png").write_bytes(b"x")
    assert message in refused("inspect", tmp_path / name)


@pytest.mark.one_backend
def test_a_baseline(gahr, tmp_path):
    """Of images of one size, so that nothing is measured on others."""
    denoiser = Wiener.from_images(np.random.default_rng(0).random((5, 8, 10, 1)), sigma=0.1)
    save_denoiser(denoiser, tmp_path / "x.keras")
    result = gahr("inspect", tmp_path / "x.keras")
    assert result.exit_code == 0, result.output
    assert "images of 8x10" in result.output
    assert "receptive field" not in result.output


@pytest.mark.one_backend
def test_a_run(gahr, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    save_denoiser(BFCNN(num_layers=3, num_kernels=2), run / "model.keras")
    assert rows_of(gahr("inspect", run)) == rows_of(gahr("inspect", run / "model.keras"))
