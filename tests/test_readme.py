"""What the README tells people to type."""

import re
import shutil
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

import keras_gahr
from keras_gahr.commands.app import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def test_continuous_integration_runs_the_test_command():
    (command,) = re.findall(r"^python3 -m venv .*\btox$", README, re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_first_screen_of_python_runs(tiny_model, tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    shutil.copy(tiny_model, tmp_path / "run" / "model.keras")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for shown, small in (
        ("(80, 80), count=16", "(16, 16), count=2"),
        ("count=64", "count=4"),
        ("seed=0)", "seed=0, schedule=kg.sampling.AscentSchedule(beta=1, sigma_end=0.5))"),
    ):
        assert shown in code
        code = code.replace(shown, small)
    found = {"noisy": np.full((16, 16), 0.5), "photos": np.full((2, 16, 16), 128, np.uint8)}
    exec(code, found)
    assert found["image"].shape == (16, 16)
    assert found["samples"].shape == (2, 16, 16, 1)
    assert found["basis"].shrinkage.shape == (4,)
    assert len(found["curve"].mean) == len(found["curve"].sigmas)


def test_every_command_exists():
    commands = {match.split()[0] for match in re.findall(r"\bgahr ((?:[a-z]+ ?)+)", README)}
    assert {"demo", "train", "sample", "convert"} <= commands
    output = CliRunner().invoke(app, ["--help"]).output
    for command in commands:
        assert f" {command} " in output, command


def test_the_citation_has_this_version():
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {keras_gahr.__version__}\n" in citation


def test_the_changelog_knows_this_version():
    assert keras_gahr.__version__ in (ROOT / "CHANGELOG.md").read_text()
