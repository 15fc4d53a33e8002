"""`gahr reproduce`."""

import json
import sys

import pytest
import sweeping

from keras_gahr import experiments


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """An experiment "tiny"."""
    monkeypatch.setitem(experiments._HOMES, "tiny", ("tiny", "Tiny"))
    monkeypatch.setitem(sys.modules, "keras_gahr.experiments.tiny", sweeping)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workspace")


@pytest.mark.one_backend
def test_plan_run_and_run_again(gahr, refused, folder):
    arguments = ("reproduce", "tiny", "--scale", "smoke", "--out", folder, "--set", "shuffle=true")
    plan = gahr(*arguments, "--dry-run")
    assert plan.exit_code == 0, plan.output
    assert "to be made" in plan.output and "shuffled-" in plan.output
    lines = [line.split() for line in plan.output.splitlines() if line.startswith("seed ")]
    assert [line[1] for line in lines] == ["0", "1"]
    assert all(line[4] == "8" and "to be done" in " ".join(line) for line in lines)
    assert not list(folder.iterdir())
    result = gahr(*arguments, "--jobs", 2)
    assert result.exit_code == 0, result.output
    assert "seen:" in result.output and "It runs." in result.output
    assert str(folder / "tiny" / "report.html") in result.output
    numbers = json.loads((folder / "tiny" / "numbers.json").read_text())
    assert numbers["numbers"] == {"sizes": [16, 16]}
    assert numbers["settings"]["scale"] == "smoke"
    assert numbers["settings"]["shuffle"] is True
    assert numbers["seconds"] > 0 and "Keras" in numbers["versions"]
    plan = gahr(*arguments, "--dry-run").output
    assert "made" in plan and "finished (100%)" in plan and "to be done" not in plan
    models = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/model.keras")}
    assert len(models) == 2
    page = folder / "tiny" / "report.html"
    made = page.stat().st_mtime_ns
    other = (*arguments, "--set", "passes=false")
    assert "with passes true, not false" in refused(*other)
    assert page.stat().st_mtime_ns == made
    replaced = gahr(*other, "--overwrite")
    assert replaced.exit_code == 0 and "not seen:" in replaced.output
    made = page.stat().st_mtime_ns
    assert gahr(*other, "--check").exit_code == 1
    assert page.stat().st_mtime_ns > made
    assert {path: path.stat().st_mtime_ns for path in models} == models


@pytest.mark.one_backend
def test_a_failed_training(gahr, tmp_path):
    arguments = ("--out", tmp_path, "--set", "seeds=7", "--set", "learning_rate=1e30")
    result = gahr("reproduce", "tiny", *arguments)
    assert result.exit_code == 1
    assert "error: seed 7 diverged" in result.output and "learning rate" in result.output


def test_the_list(gahr):
    output = gahr("reproduce", "--list").output
    for name in experiments.NAMES:
        assert name in output
    assert "Fig. 19" in output


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "transition, eigenbasis"),
        (("unheard-of",), "transition, eigenbasis"),
        (("tiny", "--scale", "huge"), "smoke, laptop, paper"),
        (("tiny", "--set", "depth=3"), "epochs"),
        (("tiny", "--set", "epochs=few"), "a whole number"),
        (("tiny", "--set", "epochs"), "NAME=VALUE"),
        (("tiny", "--set", "epochs=0"), "epochs"),
        (("tiny", "--faces", "/no/such/faces"), "gahr data"),
        (("tiny", "--launcher", "cloud"), "local or slurm"),
        (("tiny", "--slurm", "partition=gpu"), "--launcher slurm"),
    ],
)
def test_what_cannot_be_run(refused, tmp_path, arguments, expected):
    assert expected in refused("reproduce", *arguments, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_is_needed(refused):
    assert "--out" in refused("reproduce", "tiny")


@pytest.mark.one_backend
def test_a_folder_of_somebody_else_is_left_alone(refused, tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "thesis.tex").write_text("")
    assert "will not be replaced" in refused("reproduce", "tiny", "--out", tmp_path)


@pytest.mark.one_backend
def test_reports_of_another_scale_are_left_alone(gahr, refused, folder):
    """Nothing is trained either before the command says so."""
    # One of the trainings that were made before.
    arguments = ("reproduce", "tiny", "--out", folder, "--set", "seeds=1", "--set", "shuffle=true")
    assert gahr(*arguments, "--scale", "smoke", "--overwrite").exit_code == 0
    before = sorted(folder.rglob("*"))
    line = refused(*arguments, "--scale", "laptop", "--set", "epochs=3")
    assert f"{folder / 'tiny'} holds a report of scale smoke: pass --overwrite" in line
    assert sorted(folder.rglob("*")) == before
