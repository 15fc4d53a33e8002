"""`gahr convert` on its own."""

import pytest
import typer
from typer.testing import CliRunner

from keras_gahr.commands.convert import convert
from keras_gahr.denoisers import load_denoiser
from keras_gahr.errors import InputError

app = typer.Typer()
app.command()(convert)


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_it_prints_what_it_found_and_assumed(golden, tmp_path):
    out = tmp_path / "out.keras"
    result = run(golden / "bf_cnn_20_linear.pt", out)
    assert result.exit_code == 0, result.output
    assert "bf-cnn (num_channels=1" in result.output
    assert "23,760 parameters" in result.output
    assert "agrees with the float64 reference" in result.output
    assert "assumed: first layer linear" in result.output
    assert load_denoiser(out).num_layers == 20


def test_first_layer_and_overwrite(golden, tmp_path):
    out = tmp_path / "out.keras"
    source = golden / "bf_cnn_21_relu.pt"
    assert run(source, out).exit_code == 0
    assert isinstance(run(source, out).exception, InputError)
    assert run(source, out, "--first-layer", "relu", "--overwrite").exit_code == 0
    assert not load_denoiser(out).first_layer_linear
    assert run(source, out, "--first-layer", "tanh", "--overwrite").exit_code == 2


@pytest.mark.parametrize("missing", ["absent.pt", "."])
def test_missing_sources(tmp_path, missing):
    result = run(tmp_path / missing, tmp_path / "out.keras")
    assert isinstance(result.exception, InputError)
    assert list(tmp_path.iterdir()) == []
