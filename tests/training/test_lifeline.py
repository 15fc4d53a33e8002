"""A process that stops when the one that started it has ended."""

import os
import signal
import subprocess
import sys

import pytest
from waiting import FOR_EVER

from keras_gahr.training.devices import lifeline

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows hands no descriptors down")

BEGIN = """
import os, signal, sys
from keras_gahr.training.devices import lifeline
"""
WATCHING = """
print("watching", flush=True)
while True:
    signal.pause()
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


@pytest.mark.one_backend
def test_what_listens_ends_by_itself(start):
    """What it does last is done."""
    listening = (
        # A signal may come while the program prints, which nothing may do at the same time.
        "signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'kept\\n'), sys.exit(3)))\n"
        "lifeline.stop_when_closed(0)"
    )
    process = start(listening, stdin=subprocess.PIPE)
    process.stdin.close()
    assert process.wait(FOR_EVER) == 3
    assert process.stdout.read() == "kept\n"


class Ended(BaseException):
    """In the place of the end of this process."""


def test_what_is_written_to_the_pipe_ends_nothing(monkeypatch):
    """Asked to end after its last byte, given a minute, then ended."""
    theirs, ours = os.pipe()
    os.write(ours, b"abc")
    os.close(ours)
    seen, read = [], os.read
    replacements = {
        "read": lambda descriptor, size: seen.append(read(descriptor, size)) or seen[-1],
        "kill": lambda *arguments: seen.append(arguments),
        "_exit": lambda code: (_ for _ in ()).throw(Ended(code)),
    }
    for name, function in replacements.items():
        monkeypatch.setattr(lifeline.os, name, function)
    monkeypatch.setattr(lifeline.time, "sleep", seen.append)
    with pytest.raises(Ended, match=str(128 + signal.SIGTERM)):
        lifeline._wait_for_end(theirs)
    monkeypatch.undo()
    os.close(theirs)
    assert seen == [b"a", b"b", b"c", b"", (os.getpid(), signal.SIGTERM), 60]


@pytest.mark.one_backend
def test_what_does_not_listen_is_ended(start):
    deaf = "lifeline._GRACE = 0\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nlifeline.stop_when_closed(0)"
    process = start(deaf, stdin=subprocess.PIPE)
    process.stdin.close()
    assert process.wait(FOR_EVER) == 128 + signal.SIGTERM


@pytest.mark.one_backend
def test_a_pipe_that_was_handed_down(start, monkeypatch):
    theirs, ours = os.pipe()
    monkeypatch.setenv("KERAS_GAHR_PARENT", str(theirs))
    relaunched = (
        "from keras_gahr.training.devices.processes import end_with_parent; end_with_parent()\n"
        # It must not be handed down once more.
        "assert 'KERAS_GAHR_PARENT' not in os.environ"
    )
    echo = "\nprint('watching', flush=True)\nfor line in sys.stdin:\n    print(line, end='', flush=True)"
    process = start(relaunched + echo, pass_fds=[theirs], stdin=subprocess.PIPE)
    os.close(theirs)
    # It goes on as long as one end is open.
    process.stdin.write("still here\n")
    process.stdin.flush()
    assert process.stdout.readline() == "still here\n"
    os.close(ours)
    assert process.wait(FOR_EVER) == -signal.SIGTERM
    process.stdin.close()
