"""Cost against size."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from systems import needs_peaks

from benchmarks import sizes
from benchmarks.sizes_figure import sizes_figure

ROOT = Path(__file__).resolve().parents[2]


def test_an_exact_power_law_has_its_exponent():
    counts = np.array([1, 2, 4, 8])
    found = sizes.exponent(counts, 3.0 * counts**2.5, start=2)
    assert found == pytest.approx({"exponent": 2.5, "error": 0, "from": 2, "to": 8}, abs=1e-6)


def test_the_error_is_that_of_least_squares():
    x = np.array([0.0, 1.0, 2.0])
    found = sizes.exponent(np.exp(x), np.exp([0.0, 1.3, 2.0]), start=0)
    # Residuals -0.1, 0.2 and -0.1 of a line of slope 1.
    assert found["exponent"] == pytest.approx(1)
    assert found["error"] == pytest.approx(np.sqrt(0.06 / 1 / 2))


def test_two_points_have_no_error():
    assert sizes.exponent([1, 2, 4], [1, 2, 4], start=2)["error"] is None


def test_small_sizes_count_if_no_others_are_left():
    found = sizes.exponent([1, 2], [1, 4], start=100)
    assert (found["exponent"], found["from"]) == (pytest.approx(2), 1)


MEASURE = """
import json
import numpy as np
from benchmarks import sizes

held = []
points = [(1, lambda: None), (2, lambda: held.append(np.ones(2**24, np.uint8)))]
print(json.dumps(list(sizes.measure(points, seconds=0.01))))
"""


@needs_peaks
def test_each_size_is_measured_with_the_peak_of_its_memory():
    # In a process of its own: what other tests have had and given back would hide it.
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT
    )
    small, large = json.loads(done.stdout)
    assert large["size"] == 2
    assert large["peak_bytes"] - small["peak_bytes"] >= 2**24
    assert large["spread"][0] <= large["seconds"] <= large["spread"][1]


@pytest.mark.slow
@pytest.mark.parametrize("name", sizes.CURVES)
def test_every_curve_can_be_measured(name, capsys):
    assert sizes.main(["--curve", name, "--smoke"]) == 0
    points = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [point["size"] for point in points] == sorted(point["size"] for point in points)
    assert all(point["seconds"] > 0 for point in points)


def test_numbers_and_picture_are_written(tmp_path, monkeypatch):
    point = {"spread": [0.5, 2.0], "seconds": 1.0, "peak_bytes": 0}
    points = [{**point, "size": size} for size in (1, 10)]
    monkeypatch.setattr(sizes, "measure_apart", lambda name, smoke: points)
    assert sizes.main(["--out", str(tmp_path / "sizes"), "--smoke"]) == 0
    numbers = json.loads((tmp_path / "sizes" / "numbers.json").read_text())
    assert [curve["time"]["exponent"] for curve in numbers["curves"]] == [0] * len(sizes.CURVES)
    assert (tmp_path / "sizes" / "sizes.png").read_bytes().startswith(b"\x89PNG")


def test_a_curve_that_fails_is_an_error(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(sizes.sys, "executable", "false")
    assert sizes.main(["--out", str(tmp_path / "sizes")]) == 1
    assert "denoising by side failed" in capfd.readouterr().err
    assert not (tmp_path / "sizes" / "numbers.json").exists()


def test_a_flat_curve_is_drawn(tmp_path):
    points = [{"size": 1, "seconds": 1.0, "spread": [1.0, 1.0], "peak_bytes": -5}]
    fitted = {"exponent": 0.0, "error": 0.1, "from": 1, "to": 1}
    curve = {"title": "denoising", "of": "batch", "points": points, "time": fitted}
    sizes_figure("title", [curve], tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 0
