"""`gahr export`."""

import numpy as np

from keras_gahr.denoisers import BFCNN, DirectDenoiser, load_denoiser, save_denoiser
from weights_convert import read_checkpoint


def test_a_torch_file(gahr, refused, tiny_model, golden, tmp_path):
    out = tmp_path / "out.pt"
    result = gahr("export", tiny_model, out)
    assert result.exit_code == 0, result.output
    first, arrays, wrote = result.output.splitlines()
    assert first.startswith("unet (num_channels=1, num_blocks=2, num_kernels=8")
    expected = read_checkpoint(golden / "tiny_unet_trained.pt")
    assert arrays == f"{len(expected)} arrays, bit for bit those of {tiny_model}"
    assert wrote == f"wrote {out}"
    assert read_checkpoint(out).keys() == expected.keys()
    assert "exists" in refused("export", tiny_model, out)
    assert gahr("export", tiny_model, out, "--overwrite").exit_code == 0


def test_a_checkpoint_can_be_written_in_another_format(gahr, golden, tmp_path):
    result = gahr("export", golden / "unet_1block.pt", tmp_path / "out.safetensors")
    assert result.exit_code == 0 and "15 arrays, bit for bit" in result.output


def test_it_says_what_the_arrays_cannot_tell(gahr, tmp_path):
    network = BFCNN(num_layers=3, num_kernels=2, first_layer_linear=False, seed=0)
    save_denoiser(DirectDenoiser(network), tmp_path / "in.keras")
    for name in ("out.pt", "out.safetensors"):
        result = gahr("export", tmp_path / "in.keras", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert result.output.splitlines()[2:-1] == [
            "note: a ReLU follows its first layer, which the arrays cannot tell: convert them with "
            "--first-layer relu (first_layer='relu' in Python)",
            "note: it computes the image, which the arrays cannot tell: convert them with "
            "--predicts image (predicts='image' in Python)",
        ]
    options = ("--first-layer", "relu", "--predicts", "image")
    result = gahr("convert", tmp_path / "out.pt", tmp_path / "again.keras", *options)
    assert "assumed: it computes the image, as asked for" in result.output
    noisy = np.random.default_rng(0).random((1, 8, 8, 1), np.float32)
    found, expected = (
        load_denoiser(tmp_path / f"{name}.keras").predict_on_batch(noisy)
        for name in ("again", "in")
    )
    np.testing.assert_array_equal(found, expected)


def test_mistakes(refused, tiny_model, tmp_path):
    assert "ends in .pt" in refused("export", tiny_model, tmp_path / "out.npz")
    assert "does not exist" in refused("export", tmp_path / "none.pt", tmp_path / "out.pt")
    assert "expected 40 or" in refused(
        "export", tiny_model, tmp_path / "out.onnx", "--size", "small"
    )
    assert list(tmp_path.iterdir()) == []
