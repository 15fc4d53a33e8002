"""`gahr train`, and what it leaves behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from disks import without_rights
from systems import needs_signals
from terminals import start_in_terminal
from waiting import FOR_EVER, wait_until

from keras_gahr import load_denoiser
from keras_gahr.training.config import RunConfig, read_options
from keras_gahr.training.resume.state import read_state

QUICK = ("--num-kernels", 4, "--num-blocks", 1, "--epochs", 2, "--images-per-epoch", 64)


@pytest.fixture
def dataset(tmp_path, smooth_images):
    path = tmp_path / "images.npy"
    np.save(path, smooth_images(40, 16, 16))
    return path


def test_a_training_from_start_to_end(gahr, dataset, tmp_path):
    out = tmp_path / "run"
    # Whole batches: a last one of another size would be compiled too.
    result = gahr("train", dataset, "--out", out, *QUICK, "--batch-size", 12)
    assert result.exit_code == 0, result.output
    assert "36 training and 4 test images of 16x16x1" in result.output
    assert "epoch    2" in result.output
    assert "25/255" in result.output
    assert {path.name for path in out.iterdir()} == {
        "config.json",
        "curves.png",
        "denoising.png",
        "events",
        "history.csv",
        "levels.csv",
        "levels.png",
        "model.keras",
        "state.safetensors",
        "status.json",
    }
    assert load_denoiser(out / "model.keras").provenance["image_shape"] == [16, 16, 1]
    data = json.loads((out / "config.json").read_text())["data"]
    assert (data["train_size"], data["test_size"], data["half"]) == (36, 4, "A")

    result = gahr("sample", out / "model.keras", "--out", tmp_path / "s", "--max-steps", 3)
    assert result.exit_code == 0, result.output
    assert np.load(tmp_path / "s" / "samples.npy").shape == (16, 16, 16, 1)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--num-blocks", 5), "multiples of 32"),
        (("--architecture", "resnet"), "unet, bf-cnn, bf-cnn-rf"),
        (("--num-layers", 4), "num_layers"),
        (("--train-size", 40), "40 training and 4 test images"),
        (("--half", "C"), "expected A or B"),
        (("--noise-law", "cubic"), "quadratic, linear"),
        (("--noise-law", "inv"), "--sigma-min"),
        (("--noise-law", "power_law"), "--noise-alpha"),
        (("--noise-alpha", 2), "only power_law"),
        (("--architecture", "unet-flex", "--num-enc-conv", "2,x"), "num_enc_conv '2,x'"),
        (("--architecture", "unet-flex", "--num-dec-conv", "2,2"), "num_dec_conv of 2 blocks"),
        (("--architecture", "unet-flex", "--norm", "group"), "layer, instance, batch, none"),
        (("--block-kernels", "2,4"), "expected unet-flex"),
        (("--norm", "layer"), "norm for the architecture unet"),
        (("--sigma-max", "two"), "25/255"),
        (("--epochs", 0), "epochs"),
        (("--start-from", "model.keras"), "num-kernels with --start-from"),
        (("--architecture", "bf-cnn-rf", "--receptive-field", 8), "5, 9, 13, 23, 43"),
    ],
)
def test_what_cannot_be_trained_is_refused(refused, dataset, tmp_path, options, says):
    options = ("--num-kernels", 2, *options)
    assert says in refused("train", dataset, "--out", tmp_path / "run", *options)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.one_backend
def test_a_flexible_unet_by_its_options(gahr, dataset, tmp_path):
    options = "--architecture unet-flex --block-kernels 2,3,2 --num-enc-conv 2,1 --num-mid-conv 1"
    options += " --num-dec-conv 1 --norm instance --no-bias --no-inter-skip --upsample-bias"
    options += " --noise-law inv --sigma-min 1/255 --sigma-max 765/255"
    training = ("--epochs", 1, "--images-per-epoch", 4, "--batch-size", 4, "--test-size", 2)
    run = tmp_path / "run"
    result = gahr("train", dataset, "--out", run, *options.split(), *training)
    assert result.exit_code == 0, result.output
    denoiser = load_denoiser(run / "model.keras")
    assert denoiser.num_kernels == (2, 3, 2)
    assert (denoiser.num_enc_conv, denoiser.num_dec_conv) == ((2, 1), (1, 1))
    assert (denoiser.norm, denoiser.bias, denoiser.inter_skip) == ("instance", False, False)
    config = json.loads((run / "config.json").read_text())
    law = {"name": "inv", "low": 1 / 255, "high": 3.0, "alpha": None}
    assert config["training"]["noise_law"] == law
    # What is written is read again.
    assert RunConfig(**read_options(run / "config.json")).network()["num_kernels"] == [2, 3, 2]


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, "not JSON"),
        ('{"train_size": 0}', "train_size = 0"),
        ('{"devices": 2}', "multiple of 2"),
    ],
)
def test_options_of_a_file_are_checked_before_a_dry_run(refused, dataset, tmp_path, text, says):
    (tmp_path / "options.json").write_text(text)
    options = ("--config", tmp_path / "options.json", "--batch-size", 5, *QUICK)
    message = refused("train", dataset, "--dry-run", *options)
    assert says in message or ("devices" in text and "there are 1" in message)


@pytest.mark.one_backend
def test_images_that_cannot_be_used_are_refused(refused, tmp_path, smooth_images):
    def saved(images):
        np.save(tmp_path / "bad.npy", images)
        return tmp_path / "bad.npy"

    images = smooth_images(4, 16, 16)
    nan = images.copy()
    nan[1, 2, 3] = np.nan
    out = ("--out", tmp_path / "run")
    assert "does not exist" in refused("train", tmp_path / "none", *out)
    assert "NaN" in refused("train", saved(nan), *out)
    assert "empty" in refused("train", saved(images[:0]), *out)
    assert "[0, 1]" in refused("train", saved(255 * images), *out)
    assert "shape" in refused("train", saved(images[0, 0, 0]), *out)
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY\x01\x00")
    assert "cannot be read" in refused("train", tmp_path / "bad.npy", *out)
    assert not (tmp_path / "run").exists()


@pytest.mark.one_backend
def test_an_existing_run_is_only_replaced_when_asked(gahr, refused, dataset, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "thesis.txt").write_text("ten years of work")
    assert "exists" in refused("train", dataset, "--out", run, *QUICK)
    # Nothing of a run is in it: it is somebody's folder, whatever was asked.
    assert "config.json" in refused("train", dataset, "--out", run, *QUICK, "--overwrite")
    assert (run / "thesis.txt").read_text() == "ten years of work"

    assert gahr("train", dataset, "--out", tmp_path / "r", *QUICK).exit_code == 0
    again = gahr("train", dataset, "--out", tmp_path / "r", *QUICK, "--overwrite")
    assert again.exit_code == 0, again.output


@needs_signals
@pytest.mark.one_backend
def test_ctrl_c_leaves_a_model(cli, dataset, tmp_path):
    """A real process, interrupted in the middle of its long first epoch."""
    out = tmp_path / "run"
    options = ("--num-kernels", 4, "--num-blocks", 1, "--images-per-epoch", 10_000_000)
    options += ("--state-seconds", 0)
    command = [sys.executable, cli, "train", dataset, "--out", out, *options]
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(list(map(str, command)), stdout=file, stderr=file)
        # It is there after the first step.
        wait_until((out / "state.safetensors").exists, process)
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=FOR_EVER)
    assert code == 130, log.read_text()
    assert "stopped by SIGINT" in log.read_text()
    assert load_denoiser(out / "model.keras").num_parameters > 0
    assert os.path.getsize(out / "history.csv") > 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such terminals")
def test_a_closed_terminal_stops_like_ctrl_c(cli, dataset, tmp_path):
    out = tmp_path / "run"
    options = ("--num-kernels", 4, "--num-blocks", 1, "--images-per-epoch", 10_000_000)
    command = [sys.executable, cli, "train", dataset, "--out", out, *options, "--state-seconds", 0]
    process, terminal = start_in_terminal(list(map(str, command)))
    wait_until((out / "state.safetensors").exists, process)
    os.close(terminal)
    assert process.wait(FOR_EVER) == 128 + signal.SIGHUP
    assert load_denoiser(out / "model.keras").num_parameters > 0
    assert json.loads((out / "status.json").read_text())["state"] == "stopped"
    read_state(out / "state.safetensors")


@pytest.mark.one_backend
def test_a_stopped_run_goes_on(gahr, refused, dataset, tmp_path):
    out = tmp_path / "run"
    assert gahr("train", dataset, "--out", out, *QUICK).exit_code == 0
    assert "--resume" in refused("train", dataset, "--out", out, *QUICK)
    result = gahr("train", "--resume", out, "--epochs", 3, "--data-on-device")
    assert result.exit_code == 0, result.output
    assert json.loads((out / "config.json").read_text())["options"]["data_on_device"] is True
    rows = (out / "history.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2", "3"]
    # The rate was halved every epoch, a tenth of two, and goes on like that.
    assert [float(row.split(",")[3]) for row in rows[1:]] == pytest.approx([1e-3, 5e-4, 2.5e-4])
    for options, says in (
        (("--resume", out, "--batch-size", 4), "batch-size"),
        (("--resume", tmp_path / "none"), "holds no run"),
        (("--resume", out, "--out", tmp_path / "b"), "out"),
    ):
        assert says in refused("train", *options)


@pytest.mark.slow
def test_a_run_goes_on_after_a_move(gahr, refused, dataset, tmp_path):
    """With its images, without them, and with images that it was told of in either way."""

    def options_of(run):
        return json.loads((run / "config.json").read_text())["options"]

    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    dataset.rename(old / "d.npy")
    quick = (*QUICK[:4], "--epochs", 1, "--images-per-epoch", 32)
    assert gahr("train", "--dataset", old / "d.npy", "--out", old / "run", *quick).exit_code == 0
    first = options_of(old / "run")
    old.rename(new)
    result = gahr("train", "--resume", new / "run", "--epochs", 2)
    assert result.exit_code == 0, result.output
    assert options_of(new / "run") == {
        **first,
        "dataset": str(new / "d.npy"),
        "epochs": 2,
        "halve_every": 1,
    }

    shutil.move(new / "d.npy", tmp_path / "e.npy")
    message = refused("train", "--resume", new / "run", "--epochs", 3)
    assert str(new / "d.npy") in message and "--dataset" in message
    for arguments in (("--dataset", tmp_path / "e.npy"), (tmp_path / "e.npy",)):
        result = gahr("train", "--resume", new / "run", *arguments, "--epochs", 3)
        assert result.exit_code == 0, result.output
        assert options_of(new / "run")["dataset"] == str(tmp_path / "e.npy")
    # It keeps the new place.
    assert gahr("train", "--resume", new / "run", "--epochs", 3).exit_code == 0

    images = np.load(tmp_path / "e.npy")
    np.save(tmp_path / "f.npy", images[::-1])
    before = (new / "run" / "config.json").read_bytes()
    result = gahr("train", tmp_path / "f.npy", "--resume", new / "run", "--epochs", 4)
    message = result.output.splitlines()[-1]
    assert result.exit_code == 2 and message.startswith("error: ")
    assert "other test images" in message and "SHA-256" in message and "f.npy" in message
    both = (tmp_path / "e.npy", "--dataset", tmp_path / "e.npy")
    assert "twice" in refused("train", *both, "--resume", new / "run")
    assert "does not exist" in refused(
        "train", "--dataset", tmp_path / "g", "--resume", new / "run"
    )
    assert (new / "run" / "config.json").read_bytes() == before


@pytest.mark.slow
def test_what_may_not_be_read_or_written_is_named(gahr, refused, dataset, tmp_path):
    run, resume = tmp_path / "run", ("train", "--resume", tmp_path / "run", "--epochs", 2)
    again = ("train", dataset, "--out", run, *QUICK)
    assert gahr(*again[:-3], 1, *QUICK[-2:]).exit_code == 0
    content = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    with without_rights(run, 0o555):
        for arguments in (resume, (*again, "--overwrite")):
            message = refused(*arguments)
            assert f"error: {run} is not writable" in message
            assert "/." not in message
    with without_rights(run / "config.json"):
        assert "config.json cannot be read: Permission denied" in refused(*resume)
    for name in ("state.safetensors", "levels.csv"):
        with without_rights(run / name):
            result = gahr(*resume)
            assert result.exit_code == 2
            assert f"{name} cannot be read: permission denied" in result.output.lower()
    with without_rights(tmp_path, 0o555):
        assert "cannot be made" in refused("train", dataset, "--out", tmp_path / "b", *QUICK)
    with without_rights(dataset):
        for arguments in (resume, (*again[:-1], 8, "--overwrite")):
            assert str(dataset) in refused(*arguments)
    assert {path: path.read_bytes() for path in run.iterdir() if path.is_file()} == content


@pytest.mark.one_backend
def test_options_can_come_from_a_file(gahr, refused, dataset, tmp_path):
    out, again = tmp_path / "run", tmp_path / "again"
    options = ("--ema", 0.5, "--schedule", "cosine", "--no-skip", "--clip-norm", 5)
    assert gahr("train", dataset, "--out", out, *QUICK, *options).exit_code == 0
    result = gahr("train", "--config", out / "config.json", "--out", again, "--epochs", 1)
    assert result.exit_code == 0, result.output
    first, second = (json.loads((f / "config.json").read_text()) for f in (out, again))
    assert second["options"] == {**first["options"], "epochs": 1}
    assert second["denoiser"]["class"] == "DirectDenoiser"
    for content, says in (
        ("{", "not JSON"),
        ('{"epoch": 3}', "has epoch"),
        ('{"epochs": "3"}', 'epochs = "3"'),
        ('{"epochs": true}', "epochs = true"),
        ("[1]", "no options"),
    ):
        (tmp_path / "c.json").write_text(content)
        assert says in refused("train", dataset, "--config", tmp_path / "c.json", "--out", "x")
    assert "does not exist" in refused("train", dataset, "--config", tmp_path / "none.json")


def test_what_is_missing_is_named(refused, dataset, tmp_path):
    assert "no run directory" in refused("train", dataset)
    assert "no dataset" in refused("train", "--out", tmp_path / "run")


@pytest.mark.one_backend
def test_a_dry_run_leaves_nothing(gahr, dataset, tmp_path):
    result = gahr(
        "train", dataset, "--out", tmp_path / "run", *QUICK, "--dry-run", "--data-on-device"
    )
    assert result.exit_code == 0, result.output
    assert '"epochs": 2' in result.output
    assert "4 steps: 2 epochs of 2" in result.output
    assert "images/s" in result.output
    assert not (tmp_path / "run").exists()


@pytest.mark.one_backend
def test_training_starts_from_a_model(gahr, refused, dataset, tmp_path, tiny_model):
    """And goes on without it."""
    out = tmp_path / "run"
    tiny_model = shutil.copy(tiny_model, tmp_path / "first.keras")
    options = ("--epochs", 1, "--images-per-epoch", 40, "--learning-rate", 1e-5)
    result = gahr("train", dataset, "--out", out, "--start-from", tiny_model, *options)
    assert result.exit_code == 0, result.output
    model, first = load_denoiser(out / "model.keras"), load_denoiser(tiny_model)
    assert model.num_parameters == first.num_parameters
    for found, expected in zip(model.trainable_variables, first.trainable_variables, strict=True):
        assert np.allclose(found, expected, atol=1e-3)

    tiny_model.unlink()
    result = gahr("train", "--resume", out, "--epochs", 2)
    assert result.exit_code == 0, result.output
    assert load_denoiser(out / "model.keras").provenance == model.provenance
    config = json.loads((out / "config.json").read_text())
    config["denoiser"]["class"] = "Nothing"
    (out / "config.json").write_text(json.dumps(config))
    assert "which network" in refused("train", "--resume", out, "--epochs", 3)


CLOCK = ("--clock-budget", 10, "--clock-samples", 4, "--clock-looks", 1)


@pytest.mark.one_backend
def test_a_training_with_a_clock(gahr, dataset, tmp_path):
    out = tmp_path / "run"
    result = gahr("train", dataset, "--out", out, *QUICK, *CLOCK)
    assert result.exit_code == 0, result.output
    assert "clock: N = 36, test error near its best from step" in " ".join(result.output.split())
    assert (out / "clock.png").is_file()
    steps = [row.split(",")[0] for row in (out / "clock.csv").read_text().splitlines()[1:]]
    # 36 images, twice in an epoch of 64, are one time; and the one at the end.
    assert steps == ["4"]


@pytest.mark.one_backend
def test_a_dry_run_says_what_the_clock_takes(gahr, dataset):
    result = gahr("train", dataset, "--dry-run", *QUICK[:4], "--epochs", 100, "--clock")
    assert result.exit_code == 0, result.output
    line = next(line for line in result.output.splitlines() if line.startswith("clock: "))
    looks, samples, share = re.fullmatch(
        r"clock: (\d+) looks at (\d+) samples, [\d.]+ in a factor of ten of the steps: ([\d.]+)% of the "
        r"training's time, about .* of it",
        line,
    ).groups()
    assert int(looks) >= 3
    assert 16 <= int(samples) <= 64
    assert float(share) <= 5


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--clock", "--clock-budget", 0), "clock_budget"),
        (("--clock", "--epochs", 1), "training of 2 steps"),
        (("--clock", "--epochs", 20), "clock-budget of 0.05"),
        (("--clock", "--clock-samples", 1), "clock-samples"),
        (("--clock-features", "features.txt"), "features.txt"),
        (("--clock-features", "no-such.onnx"), "no-such.onnx"),
        (("--twin", "no-such-run"), "no-such-run"),
        (("--clock", "--sigma-max", "10/255"), "noise levels from 0 to 10 of 255"),
    ],
)
def test_a_clock_that_cannot_be_is_refused(refused, dataset, tmp_path, options, says):
    out = tmp_path / "run"
    longer = ("--epochs", 500) if "--epochs" not in options else ()
    message = refused("train", dataset, "--out", out, *QUICK[:4], *QUICK[6:], *longer, *options)
    assert says in message
    assert not out.exists()


@pytest.mark.one_backend
def test_a_twin_is_of_other_images(gahr, refused, dataset, tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    sizes = ("--train-size", 16, "--test-size", 4)
    assert gahr("train", dataset, "--out", a, *QUICK, *CLOCK, *sizes).exit_code == 0
    plain = tmp_path / "plain"
    assert gahr("train", dataset, "--out", plain, *QUICK, *sizes).exit_code == 0
    twin = (*QUICK, *CLOCK, *sizes, "--out", b, "--twin")
    assert "has no clock" in refused("train", dataset, *twin, plain, "--half", "B")
    result = gahr("train", dataset, *twin, a, "--half", "B")
    assert result.exit_code == 0, result.output


@pytest.mark.one_backend
def test_a_single_image(gahr, tmp_path, smooth_images):
    np.save(tmp_path / "one.npy", smooth_images(1, 8, 8))
    options = ("--architecture", "bf-cnn", "--num-layers", 2, "--num-kernels", 2, "--epochs", 1)
    small = ("--images-per-epoch", 4, "--batch-size", 4)
    result = gahr("train", tmp_path / "one.npy", "--out", tmp_path / "run", *options, *small)
    assert result.exit_code == 0, result.output
    assert "1 training and 0 test images" in result.output
