"""An option that is declared in one line reaches everything that offers options."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import FOR_EVER

ROOT = Path(__file__).resolve().parents[2]

CODE = """
import importlib, inspect, json, sys
from typer.testing import CliRunner
from keras_gahr.commands.app import app
from keras_gahr.errors import InputError
from keras_gahr.options.training import RunOptions

def refused(call):
    try:
        call()
    except InputError as error:
        return str(error)

sys.path.insert(0, "docs/site")
table = importlib.import_module("options").options_table
shown = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "100", "TERM": "dumb"})
sampling = [
    CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "100", "TERM": "dumb"}).output
    for command in ("sample", "restore", "compare")
]
without_keras = "keras" not in sys.modules

from keras_gahr.training.config import RunConfig, read_options
from keras_gahr.training.settings import TrainingSettings
from keras_gahr.commands.sampler_options import chosen_schedule
from keras_gahr.sampling import AscentSchedule

wrong = CliRunner().invoke(app, ["train", "data", "--out", "run", "--dropout", "2"])
print(json.dumps({
    "settings": TrainingSettings(dropout=0.25).dropout,
    "help of Python": "dropout: Share of" in TrainingSettings.__doc__,
    "config": RunConfig(dataset="x", dropout=0.25).settings().dropout,
    "file": read_options("options.json"),
    "too large": refused(lambda: TrainingSettings(dropout=2)),
    "too large in a file": refused(lambda: read_options("wrong.json")),
    "help": " ".join(shown.output.split()),
    "without Keras": without_keras,
    "wrong": [wrong.exit_code, wrong.output],
    "table": table(RunOptions),
    "schedule": AscentSchedule(warmth=3).warmth,
    "schedule of a command": chosen_schedule({"warmth": 2, "h0": None}).warmth,
    "schedule refused": refused(lambda: AscentSchedule(warmth=10)),
    "of another sampler": refused(lambda: chosen_schedule({"warmth": 2}, "euler")),
    "sampling": [" ".join(text.split()) for text in sampling],
}))
"""


def declare(path, before, line):
    """Puts one line before another one that is there once."""
    text = path.read_text("utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, line + before), "utf-8")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What is found in a copy of the package with one line more for trainings, and one for samplers."""
    tmp_path = tmp_path_factory.mktemp("copy")
    shutil.copytree(
        ROOT / "keras_gahr",
        tmp_path / "keras_gahr",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("*.png"))
    options = tmp_path / "keras_gahr" / "options"
    declare(
        options / "training.py",
        "    rescale: bool = option(",
        '    dropout: float = option(0.5, "Share of units.", NOISE, least=0, most=1)\n',
    )
    declare(
        options / "sampling.py",
        "    fixed_h: bool = option(",
        '    warmth: float = option(1.5, "In degrees.", above=0, most=9)\n',
    )
    (tmp_path / "options.json").write_text('{"dropout": 0.75}')
    (tmp_path / "wrong.json").write_text('{"dropout": 2}')

    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=FOR_EVER, env=environment
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_training_option_is_one_edit(found):
    assert found["settings"] == found["config"] == 0.25
    assert found["help of Python"]
    assert found["file"] == {"dropout": 0.75}
    assert "dropout = 2" in found["too large"] and "up to 1" in found["too large"]
    assert "wrong.json has dropout = 2" in found["too large in a file"]
    assert "--dropout" in found["help"] and "Share of units. [default: 0.5]" in found["help"]
    assert found["without Keras"]
    code, output = found["wrong"]
    assert code == 2 and output.startswith("error: ") and len(output.splitlines()) == 1
    assert (
        "| `dropout` | `0.5` | a number of at least 0 and up to 1 | Share of units. |"
        in found["table"]
    )


@pytest.mark.slow
def test_a_sampler_option_is_one_edit(found):
    assert (found["schedule"], found["schedule of a command"]) == (3, 2)
    assert "warmth = 10" in found["schedule refused"] and "up to 9" in found["schedule refused"]
    assert "--warmth, which the sampler euler does not have" in found["of another sampler"]
    for text in found["sampling"]:
        assert "--warmth" in text and "In degrees. [default: (1.5)]" in text
