"""`gahr report`."""

import csv
import json
import shutil

import pytest
from html_reader import HtmlReader
from matplotlib.figure import Figure

from keras_gahr.plot import png_bytes, training_levels
from keras_gahr.psnr import SIGMAS
from keras_gahr.report.document import Slider, Table
from keras_gahr.runs.facts import read_runs
from keras_gahr.runs.report import run_report
from keras_gahr.training.watch.history import History
from keras_gahr.training.watch.levels import LevelRecorder

pytestmark = pytest.mark.one_backend


@pytest.fixture
def make_run(tmp_path):
    """A function that makes the directory of a training with a train-test gap at all noise levels."""

    def make(name, size=10, gap=1.0, epochs=2, state="finished", model=True, **training):
        path = tmp_path / "runs" / name
        path.mkdir(parents=True)
        config = {
            "data": {"dataset": "/data/disks", "train_size": size},
            "denoiser": {"class": "UNet", "name": "unet_3", "num_kernels": 8},
            "training": {"epochs": 2, "learning_rate": 0.001, **training},
            "versions": {"keras_gahr": "0.1.0", "keras": "3.15.1"},
            "backend": "torch",
        }
        (path / "config.json").write_text(json.dumps(config))
        status = {"state": state, "epoch": epochs, "epochs": 2, "pid": 1, "host": "elsewhere"}
        (path / "status.json").write_text(json.dumps(status))
        if model:
            (path / "model.keras").touch()
        if epochs:
            numbers = [5, 60.0, 0.001, 3.0, 20.0 + gap, 4.0, 20.0]
            write(path / "history.csv", History.COLUMNS, [[k + 1, *numbers] for k in range(epochs)])
            levels = [
                [k + 1, part, sigma, 20.0, 25.0 + gap * (part == "train")]
                for k in range(epochs)
                for part in ("train", "test")
                for sigma in SIGMAS
            ]
            write(path / "levels.csv", LevelRecorder.COLUMNS, levels)
        return path

    def write(path, columns, rows):
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([columns, *rows])

    return make


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are made but not drawn, for tests that look at words and numbers."""
    content = png_bytes(Figure(figsize=(1, 1)))
    monkeypatch.setattr("keras_gahr.runs.report.png_bytes", lambda figure: content)


def items(document, kind):
    return [
        item for section in document.sections for item in section.items if isinstance(item, kind)
    ]


def test_a_slider_over_set_sizes(make_run, gahr, tmp_path):
    sizes, gaps = (1000, 10, 100), (0.05, 4.0, 1.5)
    paths = [
        make_run(f"n{size}", size, gap, learning_rate=gap)
        for size, gap in zip(sizes, gaps, strict=True)
    ]
    result = gahr("report", *paths, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "N = 10: 4.00 dB" in result.output
    page = HtmlReader((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert [float(slider["max"]) for slider in page.all("input")] == [2, 2]
    numbers = json.loads((tmp_path / "out" / "numbers.json").read_text())["numbers"]["runs"]
    assert [run["train_size"] for run in numbers] == [10, 100, 1000]
    for run, gap in zip(numbers, (4.0, 1.5, 0.05), strict=True):
        assert run["gap"]["mean"] == pytest.approx(gap)
        assert len(run["levels"]) == len(SIGMAS)
    document = run_report(read_runs(paths))
    for slider in items(document, Slider):
        assert (slider.label, list(slider.values)) == ("training images N", ["10", "100", "1,000"])
        assert len({picture.size for picture in slider.pictures}) == 1
    differences = items(document, Table)[-1]
    assert [row[0] for row in differences.rows] == ["data.train_size", "training.learning_rate"]
    assert document.seconds == 360


def test_one_run_has_pictures_without_a_slider(make_run, undrawn):
    document = run_report(read_runs([make_run("alone", 10)]))
    assert not items(document, Slider)
    assert [picture.name for picture in document.pictures()] == ["levels", "training"]
    assert "N = 10: 1.00 dB" in document.answer


def test_runs_of_one_size_are_told_apart_by_name(make_run, undrawn):
    paths = [make_run(name) for name in ("b/x", "a/x", "y")]
    document = run_report(read_runs(paths))
    assert items(document, Slider)[0].label == "run"
    assert items(document, Slider)[0].values == [str(paths[0]), str(paths[1]), "y"]
    assert document.sections[-1].text


def test_many_runs_are_summed_up(make_run, undrawn):
    for k in range(1, 7):
        make_run(f"r{k}", 10 * k, 6.0 - k)
    document = run_report(read_runs([make_run("r9", 5, 9.0).parent]))
    assert "of 7 runs, N = 5 has the largest" in document.answer
    assert "N = 60 the smallest, 0.00 dB" in document.answer


def test_folders_of_runs_and_runs_given_twice(make_run, tmp_path):
    path = make_run("one")
    make_run("two")
    found = read_runs([path, tmp_path, path.parent / "." / "one"])
    assert [run.path.name for run in found] == ["one", "two"]


def test_unfinished_runs_are_said_to_be(make_run, undrawn):
    runs = [
        make_run("whole"),
        make_run("half", epochs=1, state="stopped", model=False),
        make_run("begun", epochs=0, state="running", model=False),
    ]
    (runs[0] / "levels.csv").unlink()
    text = "\n".join(run_report(read_runs(runs)).sections[0].text)
    assert "half is stopped, after epoch 1 of 2 and has no model." in text
    assert "begun is running on elsewhere, after epoch 0 of 2 and has no model and" in text
    assert "whole has no PSNR over noise levels." in text


def test_without_test_images_there_is_no_gap(make_run, undrawn):
    path = make_run("run")
    rows = (path / "levels.csv").read_text().splitlines()
    (path / "levels.csv").write_text("\n".join(row for row in rows if ",test," not in row))
    document = run_report(read_runs([path]))
    assert "do not tell" in document.answer
    assert document.numbers["runs"][0]["gap"] is None


def test_a_diverged_run(make_run, undrawn, gahr, tmp_path):
    path = make_run("run", state="diverged")
    text = (path / "history.csv").read_text().replace("4.0,20.0", "nan,inf")
    (path / "history.csv").write_text(text)
    assert gahr("report", path, "--out", tmp_path / "out").exit_code == 0
    last = json.loads((tmp_path / "out" / "numbers.json").read_text())["numbers"]["runs"][0]
    assert "test_psnr" not in last["last_epoch"]


def test_hostile_names(make_run, gahr, tmp_path):
    names = ("<script>$x^{$_", "_$\\frac$", "a b|c")
    paths = [make_run(name, training=name) for name in names]
    result = gahr("report", *paths, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    page = HtmlReader((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert len(page.all("script")) == 1
    assert all(name in page.text() for name in names)


def test_the_pictures_of_a_run(make_run, undrawn, refused, tmp_path):
    from documents import twins_picture

    path = make_run("run")
    (path / "denoising.png").write_bytes(twins_picture(1).png)
    assert "denoised" in [picture.name for picture in run_report(read_runs([path])).pictures()]
    for content in (b"GIF89a", twins_picture(1).png[:500]):
        (path / "denoising.png").write_bytes(content)
        assert "denoising.png" in refused("report", path, "--out", tmp_path / "out")


def test_what_cannot_be_reported(make_run, refused, tmp_path):
    out = ("--out", tmp_path / "out")
    assert "holds no run" in refused("report", tmp_path / "nothing", *out)
    begun = make_run("begun", epochs=0)
    assert "no epoch is finished" in refused("report", begun, *out)
    for name, content in (
        ("history.csv", "epoch,steps\nx,y\n"),
        ("levels.csv", "epoch\n1\n"),
        ("config.json", '{"keras_gahr'),
    ):
        path = make_run(name)
        (path / name).write_text(content)
        assert path.name in refused("report", path, *out)
        shutil.rmtree(path)
    assert not (tmp_path / "out").exists()


def test_reports_are_not_overwritten_unasked(make_run, undrawn, gahr, refused, tmp_path):
    path = make_run("run")
    for arguments in ((), ("--overwrite",)):
        assert gahr("report", path, "--out", tmp_path / "out", *arguments).exit_code == 0
    assert "--overwrite" in refused("report", path, "--out", tmp_path / "out")
    assert "no numbers.json" in refused("report", path, "--out", path, "--overwrite")


def test_axes_are_the_same_for_all_runs():
    def rows(psnr):
        return [
            {"epoch": 1, "set": "train", "sigma": 0.1, "input_psnr": 20.0, "psnr": value}
            for value in (psnr, psnr + 1)
        ]

    limits = {
        training_levels(rows(psnr), room=[*rows(10.0), *rows(40.0)]).axes[0].get_ylim()
        for psnr in (10.0, 40.0)
    }
    assert len(limits) == 1
    # Negative control: alone, each has its own.
    assert (
        training_levels(rows(10.0)).axes[0].get_ylim()
        != training_levels(rows(40.0)).axes[0].get_ylim()
    )
    assert png_bytes(training_levels(rows(10.0))).startswith(b"\x89PNG")
