"""What commands say of checkpoints that cannot tell all of their network."""

import shutil

import numpy as np
import pytest

pytestmark = pytest.mark.one_backend

RELU = "bf_cnn_21_relu.pt"
SAID = "?first_layer=linear&predicts=residual"


@pytest.fixture
def noisy(tmp_path):
    path = tmp_path / "y.npy"
    np.save(path, np.random.default_rng(0).random((1, 8, 8, 1), np.float32))
    return path


def lines_of(result):
    """The lines of standard error that warn, beside those of progress."""
    assert result.exit_code == 0, result.output
    return [line for line in result.stderr.splitlines() if "warning" in line.lower()]


COMMANDS = {
    "denoise": "denoise {model} {noisy} --out {out}.npy --no-noise",
    "noise": "noise {model} {noisy} --probes 2",
    "export": "export {model} {out}.safetensors",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_one_line_beside_the_output(gahr, golden, noisy, tmp_path, command):
    model, line = golden / RELU, COMMANDS[command]
    assumed = gahr(*line.format(model=model, noisy=noisy, out=tmp_path / "a").split())
    (warning,) = lines_of(assumed)
    assert warning.startswith(
        f"warning: {model} cannot tell, so that this was assumed: first layer"
    )
    assert warning.endswith(f"{RELU}{SAID}'")
    said = gahr(*line.format(model=f"{model}{SAID}", noisy=noisy, out=tmp_path / "b").split())
    assert not lines_of(said)
    # Nothing else differs but the names that were given.
    renamed = said.stdout.replace(SAID, "").replace(str(tmp_path / "b"), str(tmp_path / "a"))
    assert renamed == assumed.stdout


def test_both_of_two_models(gahr, golden, tmp_path):
    low, detail = golden / "bf_cnn_20_linear.pt", golden / "bf_cnn_rf13_fine.pt"
    result = gahr("assemble", low, detail, "--out", tmp_path / "a.keras")
    lines = lines_of(result)
    assert [line.partition(" cannot tell")[0] for line in lines] == [
        f"warning: {path}" for path in (low, detail)
    ]
    assert lines[1].endswith(f"as '{detail}?predicts=residual'")
    said = gahr(
        *("assemble", f"{low}{SAID}", f"{detail}?predicts=residual"),
        *("--out", tmp_path / "b.keras"),
    )
    assert not lines_of(said)


def test_what_is_said_counts(gahr, golden, noisy, tmp_path):
    for name, query in {"linear": SAID, "relu": "?first_layer=relu&predicts=residual"}.items():
        out = tmp_path / f"{name}.npy"
        lines_of(gahr("denoise", f"{golden / RELU}{query}", noisy, "--out", out, "--no-noise"))
    linear, relu = (np.load(tmp_path / f"{name}.npy") for name in ("linear", "relu"))
    assert np.max(np.abs(linear - relu)) > 0.1


def test_inspect_takes_it_either_way(gahr, refused, golden):
    after = gahr("inspect", f"{golden / RELU}?first_layer=relu")
    option = gahr("inspect", golden / RELU, "--first-layer", "relu")
    assert not lines_of(after)
    assert after.stdout == option.stdout
    assert "assumed" in after.stdout
    assert 'assumed: ["it computes the residual"]' in after.stdout
    twice = refused("inspect", f"{golden / RELU}?first_layer=relu", "--first-layer", "linear")
    assert "'linear', and 'relu' after the path" in twice


def test_a_training_that_starts_from_one(gahr, golden, noisy, tmp_path):
    shutil.copy(golden / "unet_1block.pt", tmp_path / "x.pt")
    np.save(noisy, np.random.default_rng(0).random((4, 8, 8, 1), np.float32))
    assert gahr("data", "array", noisy, tmp_path / "set").exit_code == 0
    result = gahr(
        *("train", tmp_path / "set", "--start-from", tmp_path / "x.pt", "--out", tmp_path / "run"),
        *("--epochs", "1", "--images-per-epoch", "2", "--batch-size", "2"),
    )
    warned = [line for line in lines_of(result) if "assumed" in line]
    assert len(warned) == 1
    assert warned[0].startswith(f"warning: {tmp_path / 'x.pt'} cannot tell")
