"""Bars in notebooks."""

import importlib.util
import io
import sys
import types

import pytest
from rich.console import Console

import keras_gahr as kg
from keras_gahr import progress
from keras_gahr.progress_bar import progress_bar

pytestmark = pytest.mark.one_backend


@pytest.fixture
def shown(monkeypatch):
    """The outputs of a cell, each what it was last replaced by, in a Jupyter without ipywidgets."""
    outputs = []

    class Handle:
        def __init__(self, place):
            self.place = place

        def update(self, data, raw):
            assert raw
            outputs[self.place] = data["text/plain"]

    def display(data, raw, display_id):
        assert raw and display_id
        outputs.append(data["text/plain"])
        return Handle(len(outputs) - 1)

    module = types.ModuleType("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    return outputs


@pytest.mark.parametrize("transient", [False, True])
@pytest.mark.filterwarnings("error")
def test_without_widgets_one_output_is_replaced(shown, transient, monkeypatch):
    console = Console(file=io.StringIO(), force_jupyter=True)
    bar = progress_bar("{task.description}", console=console, transient=transient)
    monkeypatch.setattr(type(bar), "_INTERVAL", 0)
    bar.start()
    task = bar.add_task("sampling", total=4)
    for done, description in enumerate(("one", "two", "three")):
        bar.update(task, completed=done, description=description)
        assert len(shown) == 1 and description in shown[0]
    bar.stop()
    (last,) = shown
    assert ("three" in last) is not transient


def test_a_comparison_shows_no_bar_where_none_is_wanted(smooth_images, monkeypatch):
    monkeypatch.setattr(progress, "_Bar", lambda title: pytest.fail(f"a bar of {title}"))
    images = smooth_images(8, 8, 8)
    halves = images[:4], images[4:]
    denoisers = [kg.baselines.Wiener.from_images(half) for half in halves]
    schedule = kg.sampling.AscentSchedule(beta=1.0, sigma_end=0.5)
    kg.compare(denoisers, halves, count=2, schedule=schedule, progress=False)


def test_elsewhere_it_is_one_of_rich(shown):
    console = Console(file=io.StringIO(), force_terminal=True, force_jupyter=False)
    with progress_bar("{task.description}", console=console) as bar:
        bar.add_task("sampling", total=4)
    assert not shown
    assert "sampling" in console.file.getvalue()
