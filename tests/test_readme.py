"""What the README tells people to type."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import keras_gahr
from keras_gahr.commands.app import app

pytestmark = pytest.mark.one_backend

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_continuous_integration_runs_the_test_command():
    (command,) = re.findall(r"^python3 -m venv .*\btox$", README, re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


def test_the_first_screen_of_python_runs():
    """As it stands, but for how much is trained and sampled."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for shown, small in (
        ("c_alpha_images(500,", "c_alpha_images(40,"),
        ('"images_per_epoch": 2000', '"images_per_epoch": 16'),
        ("epochs=10", "epochs=1, progress=False"),
        ("seed=0).images", "schedule=kg.sampling.AscentSchedule(beta=1, sigma_end=0.5)).images"),
    ):
        assert shown in code
        code = code.replace(shown, small)
    found = {}
    exec(code, found)
    assert found["image"].shape == found["noisy"].shape == (16, 16, 1)
    assert found["samples"].shape == (4, 16, 16, 1)
    assert found["basis"].shrinkage.shape == (16,)
    assert len(found["curve"].mean) == len(found["curve"].sigmas)
    assert found["figure"].axes


def test_every_command_exists():
    commands = {match.split()[0] for match in re.findall(r"\bgahr ((?:[a-z]+ ?)+)", README)}
    assert {"demo", "train", "sample", "convert"} <= commands
    output = CliRunner().invoke(app, ["--help"]).output
    for command in commands:
        assert f" {command} " in output, command


def test_every_room_has_its_place():
    """Every folder of the package is named, and what is named is there."""
    package = ROOT / "keras_gahr"
    section = README.partition("## Where things are")[2].partition("`weights_convert/`")[0]
    named = {*re.findall(r"`(\w+(?:/|\.py))`", section)} - {"keras_gahr/", "measurements/"}
    assert all((package / name).exists() for name in named)
    assert named >= {f"{file.parent.name}/" for file in package.glob("*/__init__.py")}


def test_the_citation_has_this_version():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {keras_gahr.__version__}\n" in citation


def test_the_changelog_knows_this_version():
    assert keras_gahr.__version__ in (ROOT / "CHANGELOG.md").read_text("utf-8")
