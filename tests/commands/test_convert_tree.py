"""`gahr convert --recursive`."""

import shutil

import pytest

pytestmark = pytest.mark.one_backend


@pytest.fixture
def tree(golden, tmp_path):
    root = tmp_path / "in"
    (root / "nets").mkdir(parents=True)
    shutil.copy(golden / "bf_cnn_20_linear.pt", root / "nets" / "model.pt")
    return root


def test_the_table(gahr, tree, tmp_path):
    result = gahr("convert", "--recursive", tree, tmp_path / "out")
    assert result.exit_code == 0, result.output
    header, row, assumed, computed, total = result.output.splitlines()[-5:]
    assert header.startswith("name           architecture  parameters  max difference  PSNR at")
    name, architecture, parameters, difference, psnr, _ = row.split()
    assert (name, architecture, parameters) == ("nets/model.pt", "bf-cnn", "23,760")
    assert 0 < float(difference) < 1e-5
    assert float(psnr)
    assert assumed.startswith("assumed for nets/model.pt: first layer linear")
    assert computed.startswith("assumed for nets/model.pt: it computes the residual")
    assert total == "1 converted, 0 passed over, 0 failed"
    assert (tmp_path / "out" / "nets" / "model.keras").is_file()


def test_failures_are_listed_and_give_exit_code_1(gahr, tree, tmp_path):
    (tree / "bad.pt").write_bytes(b"bad")
    result = gahr("convert", "--recursive", tree, tmp_path / "out")
    assert result.exit_code == 1
    assert "failed bad.pt: " in result.output
    assert "1 converted, 0 passed over, 1 failed" in result.output
    assert (tmp_path / "out" / "nets" / "model.keras").is_file()


def test_mistakes(refused, tree, tmp_path):
    source = tree / "nets" / "model.pt"
    assert "is not a folder" in refused("convert", "--recursive", source, tmp_path / "out")
