"""Time until something happens."""

import sys

import pytest

from benchmarks import start_up


def test_a_process_is_timed_with_its_stages():
    code = "import time; time.sleep(0.2); print('{\"step\": 0.125}')"
    found = start_up.measure(["-c", code], rounds=1)
    assert found["seconds"] > 0.2
    assert found["step"] == 0.125


def test_a_process_that_prints_no_stages_is_timed():
    assert list(start_up.measure(["-c", "print('hello')"], rounds=2)) == ["seconds"]


def test_a_process_that_fails_is_an_error():
    with pytest.raises(start_up.ProcessFailed, match="code 3"):
        start_up.measure(["-c", "raise SystemExit(3)"], rounds=1)


def test_the_command_says_what_failed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "executable", "false")
    assert start_up.main(["--smoke"]) == 1
    assert "ended with code 1" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("work", start_up.WORK)
def test_the_stages_add_up(work):
    arguments = ["-m", "benchmarks.start_up", "--smoke", "--work", work]
    found = start_up.measure(arguments, rounds=1)
    stages = [found[name] for name in ("import", "build", "compile", "step")]
    assert found["import"] > 0 and found["step"] > 0
    # The second step or sample comes twice: once within the first one.
    assert sum(stages) + found["step"] <= found["seconds"]
