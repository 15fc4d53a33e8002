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

sys.path.insert(0, "docs")
table = importlib.import_module("options").options_table
shown = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "100", "TERM": "dumb"})
without_keras = "keras" not in sys.modules

from keras_gahr.training.config import RunConfig, read_options
from keras_gahr.training.settings import TrainingSettings

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
}))
"""


@pytest.mark.slow
def test_a_training_option_is_one_edit(tmp_path):
    shutil.copytree(
        ROOT / "keras_gahr",
        tmp_path / "keras_gahr",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("*.png"))
    declarations = tmp_path / "keras_gahr" / "options" / "training.py"
    line = "    rescale: bool = option("
    added = '    dropout: float = option(0.5, "Share of units.", NOISE, least=0, most=1)\n'
    text = declarations.read_text()
    assert text.count(line) == 1
    declarations.write_text(text.replace(line, added + line))
    (tmp_path / "options.json").write_text('{"dropout": 0.75}')
    (tmp_path / "wrong.json").write_text('{"dropout": 2}')

    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=FOR_EVER, env=environment
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["settings"] == found["config"] == 0.25
    assert found["help of Python"]
    assert found["file"] == {"dropout": 0.75}
    assert "dropout = 2" in found["too large"] and "up to 1" in found["too large"]
    assert "wrong.json has dropout = 2" in found["too large in a file"]
    assert "--dropout" in found["help"] and "Share of units. [default: 0.5]" in found["help"]
    assert found["without Keras"]
    code, output = found["wrong"]
    assert code == 2 and output.startswith("error: ") and len(output.splitlines()) == 1
    assert "| `dropout` | `0.5` | Share of units." in found["table"]
