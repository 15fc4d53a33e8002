"""`gahr export`."""

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


def test_mistakes(refused, tiny_model, tmp_path):
    assert "ends in .pt" in refused("export", tiny_model, tmp_path / "out.npz")
    assert "does not exist" in refused("export", tmp_path / "none.pt", tmp_path / "out.pt")
    assert "expected 40 or" in refused(
        "export", tiny_model, tmp_path / "out.onnx", "--size", "small"
    )
    assert list(tmp_path.iterdir()) == []
