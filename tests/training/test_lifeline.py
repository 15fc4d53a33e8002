"""A process that stops when the one that started it has ended."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows hands no descriptors down")

BEGIN = """
import os, signal, sys, time
from keras_gahr.training import lifeline
lifeline._GRACE = 0.5
"""
WATCHING = """
print("watching", flush=True)
time.sleep(60)
"""


@pytest.fixture
def start():
    """A function that starts a program and returns its process once it watches."""
    processes = []

    def run(program, **options):
        command = [sys.executable, "-c", BEGIN + program + WATCHING]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
        processes.append(process)
        assert process.stdout.readline() == "watching\n"
        return process

    yield run
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_what_listens_ends_by_itself(start):
    """What it does last is done; what is written to the pipe ends nothing."""
    listening = (
        "signal.signal(signal.SIGTERM, lambda *_: (print('kept', flush=True), sys.exit(3)))\n"
        "lifeline.stop_when_closed(0)"
    )
    process = start(listening, stdin=subprocess.PIPE)
    process.stdin.write("a")
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.stdin.close()
    assert process.wait(10) == 3
    assert process.stdout.read() == "kept\n"


def test_what_does_not_listen_is_ended(start):
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nlifeline.stop_when_closed(0)"
    process = start(deaf, stdin=subprocess.PIPE)
    process.stdin.close()
    assert process.wait(10) == 128 + signal.SIGTERM


def test_a_pipe_that_was_handed_down(start, monkeypatch):
    theirs, ours = os.pipe()
    monkeypatch.setenv("KERAS_GAHR_PARENT", str(theirs))
    relaunched = (
        "from keras_gahr.training.processes import end_with_parent; end_with_parent()\n"
        # It must not be handed down once more.
        "assert 'KERAS_GAHR_PARENT' not in os.environ"
    )
    process = start(relaunched, pass_fds=[theirs])
    os.close(theirs)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    os.close(ours)
    assert process.wait(10) == -signal.SIGTERM
