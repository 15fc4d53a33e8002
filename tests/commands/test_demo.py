"""`gahr demo`, with fewer images and steps than a user sees."""

import numpy as np
import pytest

from keras_gahr.commands import demo as demo_command


@pytest.mark.one_backend
def test_the_demo_writes_all_it_promises(gahr, tmp_path, monkeypatch):
    monkeypatch.setattr(demo_command, "TRAIN", 64)
    monkeypatch.setattr(demo_command, "EPOCHS", 2)
    out = tmp_path / "demo"
    result = gahr("demo", "--out", out)
    assert result.exit_code == 0, result.output
    for name in (
        "demo.png",
        "disks/images.npy",
        "run/model.keras",
        "run/history.csv",
        "samples/samples.png",
    ):
        assert (out / name).stat().st_size > 0, name
    assert "25/255" in result.output
    assert np.load(out / "samples" / "samples.npy").shape == (16, 24, 24, 1)
    assert gahr("demo", "--out", out).exit_code == 2
    assert gahr("demo", "--out", out, "--overwrite").exit_code == 0


@pytest.mark.long
@pytest.mark.slow
def test_the_demo_works(gahr, tmp_path):
    """At its real size: denoised images are much better than noisy ones, at every level."""
    result = gahr("demo", "--out", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines() if "/255 " in line]
    assert len(rows) == len(demo_command.LEVELS)
    for _, before, after in rows:
        assert float(after) > float(before) + 4
