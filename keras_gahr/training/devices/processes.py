"""The same command in several processes, one for each device, where a backend needs that."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from keras_gahr._backend import parallel
from keras_gahr._backend.processor import cores
from keras_gahr.signals import taken_over

from .lifeline import stop_when_closed

_GRACE = 10.0
"""Seconds that processes have to end by themselves when another one has failed."""

_GRACE_AFTER_A_SIGNAL = 60.0
"""The same when all were asked to end, and keep their state."""

_PARENT = "KERAS_GAHR_PARENT"
"""Environment variable with the end of a pipe that closes when the process that started this one ends."""


def must_relaunch(count):
    """Whether `count` devices need processes that are yet to be started: PyTorch, outside torchrun."""
    return count > 1 and parallel.one_process_each() and "RANK" not in os.environ


def relaunch(arguments, count):
    """Runs `gahr ARGUMENTS` in `count` processes on this host, and passes on what asks to end.

    They are started as torchrun does, by its environment variables, but their errors and exit codes
    stay what they are. Of the standard output only the first process's is seen. If one fails, the
    others are ended, since they would wait for it; if this process is killed, they get a SIGTERM (see
    `end_with_parent`).

    Args:
        arguments: of the command line, such as `sys.argv[1:]`.
        count: processes.

    Returns:
        The exit code of the first that failed; 128 and the signal's number if they ended by one; or 0.
    """
    command = [sys.executable, "-m", "keras_gahr", *arguments]
    everyone = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
    }
    # This package may be a checkout that is not installed.
    paths = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    everyone["PYTHONPATH"] = os.pathsep.join(paths)
    threads = {"OMP_NUM_THREADS": str(max(1, cores() // count))}
    # Nobody writes to it: whatever ends this process closes it.
    theirs, ours = os.pipe()
    handed_down = []
    if os.name != "nt":  # Windows hands no descriptors down.
        everyone[_PARENT] = str(theirs)
        handed_down = [theirs]
    processes = [
        subprocess.Popen(
            command,
            env={**threads, **os.environ, **everyone, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.DEVNULL if rank else None,
            # In sessions of their own they do not get the Ctrl-C of a terminal a second time.
            start_new_session=True,
            pass_fds=handed_down,
        )
        for rank in range(count)
    ]
    os.close(theirs)
    received = []

    def forward(number, frame):
        received.append(number)
        # Windows knows no such sessions: its Ctrl-C has reached all of them, and can be sent to none.
        if os.name != "nt":
            _send(processes, number)

    with taken_over(forward):
        try:
            code = _wait(processes, received)
        finally:
            for process in processes:
                process.kill()
            os.close(ours)
    return 128 + received[0] if received and code else code


def end_with_parent():
    """Stops this process when the one that started it by `relaunch` has ended; see `stop_when_closed`."""
    if _PARENT in os.environ:
        stop_when_closed(int(os.environ.pop(_PARENT)))


def _wait(processes, received):
    """The exit code of the first process that fails, or 0 when all have ended well."""
    while any(process.poll() is None for process in processes):
        failed = [process.returncode for process in processes if process.returncode]
        if failed:
            # Twice asked they would not keep their state.
            if not received:
                _send(processes, signal.SIGTERM)
            deadline = time.monotonic() + (_GRACE_AFTER_A_SIGNAL if received else _GRACE)
            while time.monotonic() < deadline and any(p.poll() is None for p in processes):
                time.sleep(0.1)
            return _exit_code(failed[0])
        time.sleep(0.1)
    return _exit_code(next((p.returncode for p in processes if p.returncode), 0))


def _exit_code(code):
    """As a shell has it: 128 and the number for a process that a signal killed."""
    return code if code >= 0 else 128 - code


def _send(processes, number):
    for process in processes:
        if process.poll() is None:
            process.send_signal(number)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
