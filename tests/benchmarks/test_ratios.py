"""A guard against becoming slow: parts of the rival's time, not times, with generous margins.

At a size of some seconds, on the backend at hand. Where the machine is busy, parts mean nothing and
nothing is tested.
"""

import importlib.util
import os
import time
from pathlib import Path

import keras
import pytest

from benchmarks.case import Target, Way
from benchmarks.registry import cases_of
from benchmarks.scale import Scale
from benchmarks.timing import alternate

MARGIN = 1.6
"""By how much a target may be missed: small images cost more beside the work, and machines differ."""

BUSY, UNSTEADY = 0.3, 1.5
"""The part of the processors that others use, and the rival's longest time over its shortest, at most."""

SCALE = Scale(
    precisions=("float32",),
    batch=4,
    steps=1,
    drawn_side=24,
    drawn=(8,),
    drawn_steps=20,
    drawn_by_rival=1,
)


def busy_share(seconds=1.0):
    """The part of the processors' time that is used now, or the load of a minute for each of them."""
    try:
        before = _processor_times()
        time.sleep(seconds)
        after = _processor_times()
    except (OSError, ValueError, IndexError):
        return os.getloadavg()[0] / os.cpu_count()
    spent = [b - a for a, b in zip(before, after, strict=True)]
    # The fourth and fifth are idle, without and with waiting for a disk.
    return 1 - (spent[3] + spent[4]) / max(1, sum(spent))


def _processor_times():
    return [int(ticks) for ticks in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]


def is_steady(row):
    """Whether a way took about the same time in all rounds."""
    return row["spread"][1] <= UNSTEADY * row["spread"][0]


def misses(rows, ways, backend):
    """The ways that miss their targets by more than the margin, as text."""
    limits = [(Way(*way).target or Target()).of_time(backend) for way in ways.values()]
    return [
        f"{row['benchmark']}, {row['way']}: {row['ratio']:.3g} of the rival's time, target {limit}"
        for row, limit in zip(rows, limits, strict=True)
        if limit is not None and row["ratio"] > MARGIN * limit
    ]


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="the rival needs PyTorch")
@pytest.mark.parametrize("name", ["training", "denoising", "sampling"])
def test_no_case_has_become_slow(name):
    busy = busy_share()
    if busy > BUSY:
        pytest.skip(f"the machine is busy: {busy:.0%} of its processors are used")
    for case, ways in cases_of(name, SCALE):
        rows = alternate(case, ways, 3)
        if not is_steady(rows[0]):
            pytest.skip(f"the machine is busy: the rival took {rows[0]['spread']} s")
        assert not misses(rows, ways, keras.backend.backend())


def test_the_guard_sees_a_slow_way():
    """Negative control."""
    ways = {
        "rival": (lambda: 1.0, 1),
        "good": Way(lambda: 1.5, 1, Target(each=1.0)),
        "slow": Way(lambda: 1.7, 1, Target(backends={"torch": 1.0})),
        "free": (lambda: 9.0, 1),
    }
    rows = alternate("case", ways, 2)
    assert [text.split(":")[0] for text in misses(rows, ways, "torch")] == ["case, slow"]
    assert misses(rows, ways, "jax") == []


def test_a_busy_machine_is_seen(monkeypatch):
    """Negative control."""
    at = iter([[100, 0, 0, 900, 0], [180, 0, 0, 920, 0], [0, 0, 0, 0, 0], [5, 0, 0, 90, 5]])
    monkeypatch.setitem(globals(), "_processor_times", lambda: next(at))
    assert busy_share(0) == pytest.approx(0.8)
    assert busy_share(0) == pytest.approx(0.05)
    assert is_steady({"spread": [1.0, 1.4]}) and not is_steady({"spread": [1.0, 1.6]})
