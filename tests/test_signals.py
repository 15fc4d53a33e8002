"""A process that is asked to end, by a signal or since its terminal was closed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from terminals import start_in_terminal
from waiting import FOR_EVER

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such terminals")

PROGRAM = """
import signal, sys, time
from pathlib import Path
from keras_gahr.signals import taken_over

seen = []
before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
with taken_over(lambda number, frame: seen.append(signal.Signals(number).name)):
    print("ready", flush=True)
    while not seen:
        time.sleep(0.01)
    print("this may be shown", flush=True)
    print("or not", file=sys.stderr, flush=True)
assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
Path(sys.argv[1]).write_text(seen[0])
"""


@pytest.fixture
def started(tmp_path):
    """A function that starts the program in a terminal of its own: the process, and our end of it."""
    processes = []

    def start(program=PROGRAM):
        command = [sys.executable, "-c", program, str(tmp_path / "seen")]
        process, terminal = start_in_terminal(command, cwd=ROOT)
        processes.append(process)
        shown = b""
        while b"ready" not in shown:
            shown += os.read(terminal, 1000)
        return process, terminal

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_a_terminal_that_is_closed(started, tmp_path):
    process, terminal = started()
    os.close(terminal)
    assert process.wait(FOR_EVER) == 0
    assert (tmp_path / "seen").read_text() == "SIGHUP"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(started, tmp_path, number):
    process, terminal = started()
    process.send_signal(number)
    assert process.wait(FOR_EVER) == 0
    assert (tmp_path / "seen").read_text() == number.name
    assert b"this may be shown" in os.read(terminal, 1000)
    os.close(terminal)


def test_nohup(started, tmp_path):
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    process, terminal = started(ignoring + PROGRAM)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert process.wait(FOR_EVER) == 0
    assert (tmp_path / "seen").read_text() == "SIGTERM"
    os.close(terminal)


def test_outside_the_main_thread():
    program = (
        "import threading\nfrom keras_gahr.signals import taken_over\n"
        "def run():\n    with taken_over(print):\n        print('ready', flush=True)\n"
        "thread = threading.Thread(target=run); thread.start(); thread.join()"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=FOR_EVER)
    assert (done.returncode, done.stdout) == (0, "ready\n")
