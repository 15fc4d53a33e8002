"""Reproduces an experiment twice: once in peace, once killed again and again; run by a test.

python killed_reproduction.py FOLDER KILLS SEED
"""

import contextlib
import os
import random
import signal
import sys
import time
from pathlib import Path

import keras
from forked_gahr import load_libraries

from keras_gahr.commands.app import app
from keras_gahr.reproduction import launchers, train_task

SETTINGS = {
    "images": 96,
    "test_size": 16,
    "epochs": 4,
    "images_per_epoch": 160,
    "num_kernels": 4,
    "curve_images": 8,
    "basis_images": 2,
    "vectors": 4,
}
"""Of the smallest experiment, smaller than its smoke scale."""

MOST_CHANGES = 30
"""How many files may have changed before a kill; a reproduction from its start changes more."""


def reproduce(out):
    """Runs the command in this process, and returns its exit code."""
    assignments = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    return app(
        ["reproduce", "ray", "--scale", "smoke", "--out", str(out), *assignments],
        standalone_mode=False,
    )


def fork(function, output, group=False):
    """Starts a function in a process of its own, with its output in a file, and returns its number.

    Before this nothing may have been computed here. It saves the start of an interpreter each time.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        if group:
            os.setpgid(0, 0)
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        code = function() or 0
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
    os._exit(code)


class ForkedTraining:
    """What `LocalLauncher` starts, as a fork in the group of the process that is killed."""

    def __init__(self, task_path, log_path):
        self.child = fork(lambda: train_task.main([str(task_path)]), log_path)
        self.code = None

    def poll(self):
        if self.code is None:
            ended, status = os.waitpid(self.child, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if ended else None
        return self.code

    def stop(self, hard=False):
        if self.poll() is None:
            os.kill(self.child, signal.SIGKILL if hard else signal.SIGTERM)


def files(folder):
    """Changes whenever a file below the folder is made, replaced or written to."""
    found = set()
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.stat(os.path.join(path, name))
            except OSError:
                continue
            found.add((path, name, status.st_ino, status.st_size, status.st_mtime_ns))
    return found


def kill_one(out, changes, delay):
    """Reproduces until so many files have changed, and for a while longer; returns if it was killed."""
    before, changed = files(out), set()
    child = fork(lambda: reproduce(out), out.with_name("output"), group=True)
    while len(changed) < changes:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        changed |= files(out) - before
        time.sleep(0.001)
    time.sleep(delay)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def main(folder, kills, seed):
    chance = random.Random(seed)
    print(f"seed {seed}, {keras.backend.backend()}")
    load_libraries()
    launchers.LocalLauncher.start = lambda self, task, log, backend: ForkedTraining(task, log)
    killed, most = 0, MOST_CHANGES
    while killed < kills:
        # Some kills fall on any moment, the others on what is written, however slow the machine is.
        if chance.random() < 0.4:
            changes, delay = 0, chance.uniform(0, 4)
        else:
            changes, delay = chance.randint(1, most), chance.uniform(0, 0.05)
        if kill_one(folder / "killed", changes, delay):
            killed += 1
        else:
            # Less is left to be written.
            most = max(most // 3, 1)
    for out in (folder / "killed", folder / "whole"):
        _, status = os.waitpid(fork(lambda out=out: reproduce(out), folder / "output"), 0)
        if status:
            sys.exit(f"{out} did not end: {(folder / 'output').read_text()}")
    print(f"killed {killed}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
