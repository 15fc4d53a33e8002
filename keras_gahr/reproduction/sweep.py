"""Many trainings: those that are not finished yet are done, several at a time."""

import dataclasses
import sys
import time
from signal import Signals

import keras

from keras_gahr.errors import InputError
from keras_gahr.json_file import read_json
from keras_gahr.signals import taken_over
from keras_gahr.training.tracking.addresses import parse_trackers

from .launchers import Refused
from .train_task import BUSY, DIVERGED, FINISHED

_SECONDS_BETWEEN_LOOKS = 0.2

_SECONDS_AFTER_A_REFUSAL = 300.0
"""After which another job is tried, if none has ended before."""


@dataclasses.dataclass(frozen=True)
class SweepResult:
    """How a sweep ended.

    Args:
        failures: for each training that did not end well, a line.
        signal: that stopped it, or None.
    """

    failures: list[str]
    signal: Signals | None = None


def unique(tasks):
    """The tasks, each once, with the label that comes first."""
    found = {}
    for task in tasks:
        found.setdefault(task.folder, task)
    return list(found.values())


class Sweep:
    """Runs trainings to their end.

    Args:
        workspace: `Workspace`, with all datasets made.
        tasks: `TrainingTask`s.
        launcher: `LocalLauncher` or `SubmititLauncher`.
        progress: called as progress(done, total, labels): how many trainings are done, parts
            included, of how many, and the labels of those that run.
        track: which trackers follow the trainings, as `RunConfig` has it.
    """

    def __init__(self, workspace, tasks, launcher, progress=None, track=None):
        self.workspace = workspace
        self.tasks = unique(tasks)
        self.launcher = launcher
        self.track = track
        self.progress = progress or (lambda done, total, labels: None)
        self._failures = []
        # Trainings that ended before their last epoch.
        self._short = []
        self._signal = None
        self._running = []
        # Those that were told to end.
        self._told = []
        self._warned = set()
        # When the cluster is asked again, after it did not take a job.
        self._waits_until = 0.0
        self._said = False

    def run(self):
        """Trains until all are finished or have failed, or a signal stops it.

        A training that another process has is waited for. If one fails, the others go on. What the cluster
        does not take while others run is tried again when one of them has ended. On a signal that asks to
        end, see `taken_over`, all are stopped after their current step; a second one stops them at once.

        Returns:
            `SweepResult`.

        Raises:
            InputError: if a training cannot be started, and none runs.
        """
        waiting = []
        for task in self.tasks:
            state = self.workspace.state(task)
            if state == "diverged":
                self._short.append(task)
                self._failures.append(self._diverged(task))
            elif state not in {"finished", "early stop"}:
                waiting.append(task)
        with taken_over(self._stop):
            try:
                self._run(waiting)
            finally:
                for _, handle in self._running:
                    handle.stop(hard=True)
        return SweepResult(self._failures, self._signal)

    def _run(self, waiting):
        while self._running or (waiting and self._signal is None):
            for task in list(waiting):
                if self._signal is not None or self._takes_no_more():
                    break
                if self.workspace.is_busy(task):
                    continue
                waiting.remove(task)
                # The process that had it may have finished it.
                if not self.workspace.is_finished(task) and not self._begin(task):
                    waiting.insert(0, task)
            labels = [task.label for task, _ in self._running]
            if not labels and waiting:
                labels = [f"waiting for another process: {waiting[0].label}"]
            self.progress(self._done(waiting), len(self.tasks), labels)
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            waiting += self._ended()
        self.progress(self._done(waiting), len(self.tasks), [])

    def _takes_no_more(self):
        full = len(self._running) >= self.launcher.jobs
        return full or (bool(self._running) and time.monotonic() < self._waits_until)

    def _begin(self, task):
        """Starts a training; returns whether it has begun, or is to be tried again."""
        try:
            handle = self._start(task)
        except Refused as error:
            if self._signal is not None:
                # The program that submits jobs has it, too.
                return False
            if not self._running:
                raise
            self._waits_until = time.monotonic() + _SECONDS_AFTER_A_REFUSAL
            if not self._said:
                print(f"{error}; trying again when another one ends", file=sys.stderr, flush=True)
            self._said = True
            return False
        self._running.append((task, handle))
        # A signal that came meanwhile did not find it.
        if self._signal is not None and handle not in self._told:
            handle.stop()
        return True

    def _start(self, task):
        # A run only goes on on its own backend, whatever is the default here.
        try:
            path = self.workspace.run_path(task) / "config.json"
            backend = read_json(path, "the config.json of a run")["backend"]
        except InputError:
            backend = keras.backend.backend()
        path = self.workspace.write_task(task, self.track)
        return self.launcher.start(path, self.workspace.log_path(task), backend)

    def _ended(self):
        """Takes note of processes that have ended; returns the tasks to be tried again."""
        again = []
        for entry in list(self._running):
            task, handle = entry
            code = handle.poll()
            if code is None:
                continue
            self._running.remove(entry)
            self._waits_until = 0.0
            self._warn_of_trackers(task)
            if code == FINISHED:
                continue
            if code == BUSY:
                again.append(task)
                continue
            self._short.append(task)
            if code == DIVERGED:
                self._failures.append(self._diverged(task))
            elif self._signal is None:
                self._failures.append(self._failed(task, handle, code))
        return again

    def _warn_of_trackers(self, task):
        """Says what trackers were not told, each once: nobody reads the log of a training that went well."""
        log = self.workspace.log_path(task)
        trackers = tuple(f"warning: {kind}:{name}: " for kind, name in parse_trackers(self.track))
        if not trackers or not log.is_file():
            return
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith(trackers) and line not in self._warned:
                self._warned.add(line)
                print(f"{line} ({task.label}, log {log})", file=sys.stderr, flush=True)

    def _done(self, waiting):
        open_tasks = [*waiting, *(task for task, _ in self._running), *self._short]
        parts = sum(self.workspace.progress(task) for task in open_tasks)
        return len(self.tasks) - len(open_tasks) + parts

    def _diverged(self, task):
        return (
            f"{task.label} diverged in {self.workspace.run_path(task)}: a smaller learning rate may "
            "help"
        )

    def _failed(self, task, handle, code):
        log = self.workspace.log_path(task)
        if handle.ended is not None:
            return (
                f"{task.label}: {handle.ended} (log {log}); the same command goes on from its state"
            )
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"{task.label} failed ({how}, log {log}): {last[:200]}"

    def _stop(self, number, frame):
        again = self._signal is not None
        self._signal = self._signal or Signals(number)
        for _, handle in self._running:
            self._told.append(handle)
            if handle.poll() is None:
                handle.stop(hard=again)
