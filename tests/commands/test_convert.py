"""`gahr convert`."""

import shutil

import handmade
import numpy as np
import pytest

from keras_gahr.denoisers import build_denoiser, load_denoiser
from weights_convert.export import published_state


@pytest.mark.one_backend
def test_it_prints_what_it_found_and_assumed(gahr, golden, tmp_path):
    out = tmp_path / "out.keras"
    result = gahr("convert", golden / "bf_cnn_20_linear.pt", out)
    assert result.exit_code == 0, result.output
    assert "bf-cnn (num_channels=1" in result.output
    assert "23,760 parameters" in result.output
    assert "agrees with the float64 reference" in result.output
    assert "assumed: first layer linear" in result.output
    assert load_denoiser(out).num_layers == 20


@pytest.mark.one_backend
def test_first_layer_and_overwrite(gahr, refused, golden, tmp_path):
    out = tmp_path / "out.keras"
    source = golden / "bf_cnn_21_relu.pt"
    assert gahr("convert", source, out).exit_code == 0
    assert "exists" in refused("convert", source, out)
    options = ("--first-layer", "relu", "--overwrite")
    assert gahr("convert", source, out, *options).exit_code == 0
    assert not load_denoiser(out).first_layer_linear
    assert gahr("convert", source, out, "--first-layer", "tanh", "--overwrite").exit_code == 2


@pytest.mark.one_backend
def test_a_norm_that_must_be_said(gahr, refused, golden, tmp_path):
    source, out = golden / "unet_flex_instance_gray.pt", tmp_path / "out.keras"
    for command in (("convert", source, out), ("inspect", source)):
        assert "--norm layer or --norm instance" in refused(*command)
    result = gahr("convert", source, out, "--norm", "instance", "--predicts", "residual")
    assert result.exit_code == 0, result.output
    assert "num_kernels=[5, 8]" in result.output
    assert "assumed: it computes the residual, as asked for" in result.output
    assert "assumed: instance norm, as asked for" in result.output
    assert load_denoiser(out).norm == "instance"
    other = golden / "unet_1block.pt"
    assert "norm 'layer'" in refused("convert", other, tmp_path / "x.keras", "--norm", "layer")
    assert "no PyTorch checkpoint" in refused("inspect", out, "--norm", "layer")
    assert gahr("convert", source, out, "--norm", "batch", "--overwrite").exit_code == 2


@pytest.mark.parametrize(
    ("source", "message"), [("absent.pt", "does not exist"), (".", "nor checkpoints of bands")]
)
def test_missing_sources(refused, tmp_path, source, message):
    assert message in refused("convert", tmp_path / source, tmp_path / "out.keras")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_becomes_one_multi_scale_denoiser(gahr, golden, tmp_path):
    parts = {"x_low": "bf_cnn_20_linear.pt", "x_scale_0": "bf_cnn_rf13_fine.pt"}
    for name, checkpoint in parts.items():
        (tmp_path / "faces" / name).mkdir(parents=True)
        shutil.copy(golden / checkpoint, tmp_path / "faces" / name / "model.pt")
    result = gahr("convert", tmp_path / "faces", tmp_path / "out.keras")
    assert result.exit_code == 0, result.output
    assert "multi-scale (num_scales=1)" in result.output
    assert "assumed: low_band: first layer linear" in result.output
    assert load_denoiser(tmp_path / "out.keras").num_scales == 1


def test_the_output_must_be_a_new_keras_file(refused, golden, tmp_path):
    source = golden / "unet_1block.pt"
    assert "ends in .keras" in refused("convert", source, tmp_path / "out.h5")
    (tmp_path / "folder.keras").mkdir()
    assert "is a folder" in refused("convert", source, tmp_path / "folder.keras", "--overwrite")


def test_it_says_which_weights_it_used(gahr, refused, tmp_path):
    torch = pytest.importorskip("torch")
    from published_modules import BiasFreeDnCNN

    source, out = tmp_path / "x.pt", tmp_path / "out.keras"
    state = BiasFreeDnCNN(1, 4, 2).state_dict()
    root = {"model": [state], "ema": state, "step": 3}
    torch.save(root, source, _use_new_zipfile_serialization=False)
    result = gahr("convert", source, out)
    assert result.exit_code == 0, result.output
    assert "note: the weights are those under 'model.0'; the file also holds 'ema'" in result.output
    assert "note: the published network does not use 'bn_layer_list.0.bias'" in result.output
    assert "assumed" not in result.output
    assert not load_denoiser(out).first_layer_linear
    message = refused("convert", source, out, "--overwrite", "--first-layer", "linear")
    assert "has a ReLU after its first layer" in message


@pytest.mark.one_backend
def test_weights_by_name(gahr, refused, tmp_path):
    plain, average = (
        build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=3, seed=seed)
        for seed in (0, 1)
    )
    tensors = {f"net_ema.{name}": array for name, array in published_state(average).items()}
    tensors |= {f"net.{name}": array for name, array in published_state(plain).items()}
    source = tmp_path / "x.PTH"
    source.write_bytes(handmade.checkpoint(tensors))
    result = gahr("convert", source, tmp_path / "plain.keras")
    assert "note: the weights are those under 'net'; the file also holds 'net_ema'" in result.output
    assert "--weights NAME" in result.output
    options = ("--weights", "net_ema")
    assert gahr("convert", source, tmp_path / "average.keras", *options).exit_code == 0
    for name, expected in {"plain": plain, "average": average}.items():
        found = load_denoiser(tmp_path / f"{name}.keras").get_weights()
        for a, b in zip(found, expected.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    message = refused("convert", source, tmp_path / "x.keras", "--weights", "best")
    assert "holds no weights 'best', expected one of net, net_ema" in message
    assert "holds no weights 'best'" in refused("inspect", source, "--weights", "best")
