"""Which report of an experiment may take the place of an earlier one."""

import json

import pytest
from sweeping import Tiny, TinySettings, task, train_all

from keras_gahr.errors import InputError
from keras_gahr.report.document import Document
from keras_gahr.report.page import write_report
from keras_gahr.reproduction.reproduction import Reproduction
from keras_gahr.reproduction.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    """A workspace with a report of `reproduction()`."""
    workspace = Workspace(tmp_path)
    settings = reproduction()._facts()
    write_report(Document("tiny", "a", "b", "c", settings=settings), workspace.report_path("tiny"))
    return workspace


def reproduction(scale="smoke", settings=None, seeds=(0, 1)):
    tasks = [task(seed) for seed in seeds]
    return Reproduction(Tiny(), scale, settings or TinySettings(), None, tasks)


def change(workspace, **changed):
    """Changes some of numbers.json."""
    path = workspace.report_path("tiny") / "numbers.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_the_same_report_is_made_anew(workspace):
    reproduction().check_report(workspace)
    change(workspace, seconds=3.0, versions={}, answer="Another.")
    reproduction().check_report(workspace)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (reproduction(scale="laptop"), "of scale smoke"),
        (reproduction(settings=TinySettings(epochs=3)), "with epochs 2, not 3"),
        (reproduction(settings=TinySettings(seeds=(0,))), r"with seeds \[0, 1\], not \[0\]"),
        (reproduction(seeds=(0, 2)), "of other trainings"),
    ],
)
def test_what_differs_is_said(workspace, other, expected):
    with pytest.raises(InputError, match=f"tiny holds a report {expected}: pass --overwrite"):
        other.check_report(workspace)
    other.check_report(workspace, overwrite=True)


def test_a_setting_that_an_earlier_version_had_not(workspace):
    settings = reproduction()._facts()
    del settings["sigma"]
    change(workspace, settings=settings)
    with pytest.raises(InputError, match=r"with sigma unknown, not 0\.1"):
        reproduction().check_report(workspace)


def test_the_report_of_something_else(workspace):
    change(workspace, name="a\nb")
    with pytest.raises(InputError, match=r'of "a\\nb": pass') as caught:
        reproduction().check_report(workspace)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"package": "keras-gahr 0.1.0", "name"',
        '["keras-gahr"]',
        '{"package": "keras-gahr 0.1.0", "name": "tiny", "settings": null}',
        '{"package": "keras-gahr 0.1.0", "name": "tiny", "settings": {"trainings": 3}}',
        '{"package": "keras-gahr 0.1.0", "name": "tiny", "settings": {"trainings": [[]]}}',
        '"keras-gahr"' + "[" * 100_000,
        "[" * 100_000 + '"keras-gahr"',
    ],
)
def test_a_damaged_report_is_another_one(workspace, text):
    (workspace.report_path("tiny") / "numbers.json").write_text(text)
    with pytest.raises(InputError, match="tiny holds a report that cannot be read: pass"):
        reproduction().check_report(workspace)
    reproduction().check_report(workspace, overwrite=True)


def test_a_report_that_another_process_made_meanwhile(workspace):
    """What was checked before hours of training is checked again before it is replaced."""
    other = reproduction(scale="laptop")
    train_all(workspace, other.tasks)
    before = (workspace.report_path("tiny") / "numbers.json").read_bytes()
    with pytest.raises(InputError, match="of scale smoke"):
        other.report(workspace, lambda text, part: None)
    assert (workspace.report_path("tiny") / "numbers.json").read_bytes() == before
    other.report(workspace, lambda text, part: None, overwrite=True)
    other.check_report(workspace)
