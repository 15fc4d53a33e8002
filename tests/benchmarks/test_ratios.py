"""A guard against becoming slow, for a machine that does nothing else: `tox -e speed`.

Parts of the rival's time, not times, with generous margins, at a size of some seconds of processor time, on
the backend at hand. Where not even that is steady, parts mean nothing and nothing is tested. What needs no
clock is in `test_operations.py`.
"""

import importlib.util

import keras
import pytest

from benchmarks import clock
from benchmarks.case import Target, Way
from benchmarks.registry import cases_of
from benchmarks.scale import Scale
from benchmarks.timing import alternate

MARGIN = 1.6
"""By how much a target may be missed: small images cost more beside the work, and machines differ."""

UNSTEADY = 1.5
"""The rival's longest time over its shortest, at most."""

SCALE = Scale(
    precisions=("float32",),
    # It takes longer to compile than all else, and is seldom faster on a processor.
    compiled=(),
    batch=4,
    steps=1,
    denoised=((80, 4, 1), (80, 1, 16)),
    drawn_side=24,
    drawn=(8,),
    drawn_steps=20,
    drawn_one_by_one=1,
)


def is_steady(row):
    """Whether a way took about the same time in all rounds."""
    return row["spread"][1] <= UNSTEADY * row["spread"][0]


def misses(rows, ways, backend):
    """The ways that miss their targets by more than the margin, as text."""
    limits = [(Way(*way).target or Target()).of_time(backend) for way in ways.values()]
    return [
        f"{row['benchmark']}, {row['way']}: {row['ratio']:.3g} of {row['against']}, target {limit}"
        for row, limit in zip(rows, limits, strict=True)
        if limit is not None and row["ratio"] > MARGIN * limit
    ]


@pytest.mark.timed
@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="the rival needs PyTorch")
@pytest.mark.parametrize("name", ["training", "denoising", "sampling"])
def test_no_case_has_become_slow(name, monkeypatch):
    monkeypatch.setenv(clock.VARIABLE, "processor")
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


def test_processor_time_is_that_of_this_process(monkeypatch):
    monkeypatch.setattr(clock.time, "process_time", lambda: 2.0)
    monkeypatch.setattr(clock.time, "perf_counter", lambda: 1.0)
    monkeypatch.delenv(clock.VARIABLE, raising=False)
    assert clock.now() == 1
    monkeypatch.setenv(clock.VARIABLE, "processor")
    assert clock.now() == 2
