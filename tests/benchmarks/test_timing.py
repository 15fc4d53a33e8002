"""How ways are timed, judged and shown."""

import pytest
from rich.console import Console

from benchmarks import timing
from benchmarks.case import Target, Unable, Way
from benchmarks.table import seconds, table
from benchmarks.timing import alternate


def test_ways_alternate_and_the_first_round_is_not_counted():
    calls = []
    durations = {"rival": iter([99.0, 2.0, 4.0, 60.0]), "ours": iter([88.0, 1.0, 1.0, 30.0])}

    def way(name):
        def function():
            calls.append(name)
            return next(durations[name])

        return function

    rival, ours = alternate("case", {name: (way(name), 2) for name in durations}, 3)
    assert calls == ["rival", "ours"] * 4
    assert (rival["median"], rival["spread"], rival["ratio"]) == (2.0, [1.0, 30.0], 1.0)
    # The machine became slower in the last round, which leaves the ratio alone: 1/2, 1/4, 1/2.
    assert (ours["median"], ours["ratio"]) == (0.5, 0.5)


def test_calls_that_say_nothing_are_timed(monkeypatch):
    now = [0.0]

    def taking(seconds):
        def function():
            now[0] += seconds

        return function

    monkeypatch.setattr(timing, "now", lambda: now[0])
    found = alternate("case", {"a": (taking(2.0), 1), "b": (taking(0.5), 1)}, 3)
    assert [row["median"] for row in found] == [2.0, 0.5]


@pytest.mark.parametrize(
    ("target", "row", "reached"),
    [
        (Target(each=0.9), {"ratio": 0.9}, [True]),
        (Target(each=0.9), {"ratio": 0.91}, [False]),
        (Target(each=0.9, backends={"torch": 1.05}), {"ratio": 1.0}, [True]),
        (Target(each=0.9, backends={"jax": 1.05}), {"ratio": 1.0}, [False]),
        (Target(backends={"jax": 1.05}), {"ratio": 1.0}, []),
        (Target(each=0.9, fastest=0.5), {"ratio": 0.7}, [True, False]),
        (Target(each=0.8, plain=0.45), {"ratio": 0.8, "plain_ratio": 0.5}, [True, False]),
        (Target(memory=0.1), {"ratio": 1, "memory_ratio": 0.05}, [True]),
        (Target(memory=0.1), {"ratio": 1, "memory_ratio": 0.2}, [False]),
        (Target(memory=0.1), {"ratio": 1}, []),
        (Target(seconds=5), {"ratio": 1, "median": 6}, [False]),
        (Target(share=0.3), {"ratio": 1, "share": 0.29}, [False]),
        (Target(share=0.3), {"ratio": 1, "share": 0.31}, [True]),
    ],
)
def test_targets_are_judged(target, row, reached):
    assert [verdict["reached"] for verdict in target.verdicts(row, "torch")] == reached


def test_the_table_says_what_was_reached():
    rows = [
        {
            "way": "rival",
            "median": 2.0,
            "spread": [2.0, 2.1],
            "ratio": 1.0,
            "plain_ratio": 1.0,
            "against": "rival",
            "targets": [],
        },
        {"way": "compiled", "unable": "no compiler", "targets": []},
        {
            "way": "ours",
            "median": 0.002,
            "spread": [0.001, 0.003],
            "ratio": 0.001,
            "plain_ratio": 0.123,
            "against": "rival",
            "memory": 12_345_678,
            "flops": 5e12,
            "share": 0.25,
            "targets": Target(each=1, fastest=1e-4, share=0.3).verdicts(
                {"ratio": 1e-3, "share": 0.25}, "torch"
            ),
        },
    ]
    shown = {}
    for rates in (False, True):
        console = Console(width=100)
        with console.capture() as capture:
            console.print(table(rows, "case; torch", rates))
        shown[rates] = capture.get()
    for part in ("case; torch", "2 s", "2 ms", "5%", "100%", "1 pass", "not here", "12 MB", "best"):
        assert part in shown[False], part
    assert "0.123" in shown[False] and "compiled: no compiler" in shown[False]
    for part in ("500", "25%", "share 30% MISS"):
        assert part in shown[True], part


def test_each_way_is_compared_with_the_fastest_rival_of_its_precision():
    def unable():
        raise Unable("no compiler")

    def way(seconds, precision, rival=True):
        return Way(lambda: seconds, 1, None, precision, None, rival)

    rows = alternate(
        "case",
        {
            "plain": way(8.0, "float32"),
            "slow": way(9.0, "float32"),
            "fast": way(4.0, "float32"),
            "compiled": Way(unable, 1, None, "float32", None, True),
            "fast TF32": way(2.0, "TF32"),
            "float32": way(2.0, "float32", False),
            "TF32": way(3.0, "TF32", False),
            "bfloat16": way(1.0, "bfloat16", False),
        },
        2,
    )
    found = {row["way"]: row for row in rows}
    assert found.pop("compiled")["unable"] == "no compiler"
    assert {
        way: (row["against"], row["ratio"], row["plain_ratio"]) for way, row in found.items()
    } == {
        "plain": ("fast", 2.0, 1.0),
        "slow": ("fast", 2.25, 1.125),
        "fast": ("fast", 1.0, 0.5),
        "fast TF32": ("fast TF32", 1.0, 0.25),
        "float32": ("fast", 0.5, 0.25),
        "TF32": ("fast TF32", 1.5, 0.375),
        # There is no rival in bfloat16.
        "bfloat16": ("fast", 0.25, 0.125),
    }


def test_what_is_faster_but_no_rival_is_not_compared_with():
    ways = {
        "one by one": (lambda: 1.0, 1),
        "rival": Way(lambda: 2.0, 1, rival=True),
        "ours": (lambda: 1.0, 1),
    }
    assert [row["against"] for row in alternate("case", ways, 1)] == ["rival"] * 3


def test_times_have_three_digits():
    assert [seconds(value) for value in (1234.5, 12.345, 0.012345, 1.2345e-5)] == [
        "1234 s",
        "12.3 s",
        "12.3 ms",
        "12.3 us",
    ]


def test_a_way_may_be_a_plain_tuple():
    assert Way(*(len, 3)).target is None
