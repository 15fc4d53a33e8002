"""Tells trackers how a training goes."""

import math
import queue
import sys
import threading
from collections.abc import Mapping

import keras

from keras_gahr.errors import InputError
from keras_gahr.files import replacing
from keras_gahr.json_file import read_json, write_json
from keras_gahr.names import printable, reason_of

from ..watch.clock import scalars_of_look

SECONDS_AT_THE_END = 60.0
"""For which the end of a training waits for trackers that have not heard all."""


class Tracking(keras.callbacks.Callback):
    """Tells trackers the numbers of each epoch, and of each look of the clock.

    Of an epoch that was stopped within they are told when it is whole. Those of a look at its end come with
    them, so that a tracker is told each step once.

    Each tracker is called in a thread of its own: a network that is down never stops a training. What a
    tracker could not take is told again with the next numbers. By what it knows the run, and the last step
    that it was told, are kept in a file, so that a run that goes on is the same one for it.

    Args:
        path: of the file.
        trackers: `Tracker`s.
        run: the `TrackedRun`.
        batches: `TiledBatches`.
        events: the `Events` of the same training, earlier in the list of callbacks.
        clock: its `ClockWatch`, or None.
    """

    def __init__(self, path, trackers, run, batches, events, clock=None):
        super().__init__()
        self.batches = batches
        self.events = events
        self.clock = clock
        book = _Book(path)
        self._threads = [_Thread(tracker, run, book) for tracker in trackers]
        self._looks = None
        self._step = 0
        self._seen = {}

    def on_train_begin(self, logs=None):
        if self.clock is not None and self._looks is None:
            self._looks = len(self.clock.clock.looks)
        for thread in self._threads:
            if not thread.is_alive():
                thread.start()

    def on_train_batch_end(self, batch, logs=None):
        self._step = self.batches.steps(batch)
        self._seen = {}
        if self.clock is not None:
            looks = self.clock.clock.looks
            for look in looks[self._looks :]:
                self._seen.update(scalars_of_look(look))
            self._looks = len(looks)
        if self._seen and not self._is_whole:
            self._tell(self._seen)

    def on_epoch_end(self, epoch, logs: Mapping[str, float]):
        if self._is_whole:
            self._tell({"epoch": epoch + 1, **self.events.scalars, **self._seen})

    @property
    def _is_whole(self):
        """Whether all steps of the epoch were taken."""
        return self._step % self.batches.steps_per_epoch == 0

    def _tell(self, numbers):
        finite = {name: float(number) for name, number in numbers.items() if math.isfinite(number)}
        for thread in self._threads:
            thread.tell(self._step, finite)

    def close(self, state):
        """Ends all trackers, and waits for them a while.

        Args:
            state: see `Tracker.finish`.
        """
        for thread in self._threads:
            if thread.is_alive():
                thread.tell(None, state)
        for thread in self._threads:
            thread.end(SECONDS_AT_THE_END)


class _Thread(threading.Thread):
    """Calls one tracker."""

    def __init__(self, tracker, run, book):
        # One that hangs does not keep the program from ending.
        super().__init__(name=f"gahr-{tracker.address}", daemon=True)
        self.tracker = tracker
        self.tracked = run
        self.book = book
        self._told = queue.SimpleQueue()
        self._waiting = []
        self._known = None
        self._last = -1
        self._begun = False
        self._failing = False
        self._left = False

    def tell(self, step, numbers):
        """Hands over numbers, or with None for the step the state in which all ends."""
        self._told.put((step, numbers))

    def end(self, seconds):
        """Waits for the thread, but not for ever."""
        if self.is_alive():
            self.join(seconds)
        if self.is_alive():
            self._left = True
            self._warn("does not answer: what it was not told yet is lost to it")

    def run(self):
        while True:
            step, numbers = self._told.get()
            self._waiting.append((step, numbers))
            try:
                self._deliver()
                self._failing = False
            except Exception as error:  # Of a library, a network or a server.
                if not self._failing or step is None:
                    goes_on = "it is not told more" if step is None else "the training goes on"
                    self._warn(f"{reason_of(error, with_class=True)}; {goes_on}")
                self._failing = True
            if step is None:
                return

    def _deliver(self):
        """Tells the tracker all that it was not told."""
        if not self._begun:
            self._known, self._last = self.book.read(self.tracker.address)
            self._known = self.tracker.start(self.tracked, self._known)
            self._begun = True
            self._note()
        while self._waiting:
            step, numbers = self._waiting[0]
            if step is None:
                self.tracker.finish(numbers)
            elif step > self._last:
                self.tracker.log(step, numbers)
                self._last = step
            # Before it is noted, for which the disk may be full: nothing is told twice.
            del self._waiting[0]
            if step is not None:
                self._note()

    def _note(self):
        # The folder of a run that has ended is nobody's to write to.
        if not self._left:
            self.book.write(self.tracker.address, self._known, self._last)

    def _warn(self, text):
        line = f"warning: {self.tracker.address}: {text}"
        print(printable(line), file=sys.stderr, flush=True)


class _Book:
    """The file that says by what trackers know a run."""

    def __init__(self, path):
        self.path = path
        self._lock = threading.Lock()
        self._entries = {}
        if path.is_file():
            try:
                self._entries = dict(read_json(path, "the trackers of a run"))
            except (InputError, TypeError, ValueError):
                # Then they begin a run anew.
                self._entries = {}

    def read(self, address):
        """By what a tracker knows the run, or None; and the last step that it was told, or -1."""
        entry = self._entries.get(address)
        if not isinstance(entry, dict):
            return None, -1
        known, step = entry.get("run"), entry.get("step")
        if not isinstance(known, str) or type(step) is not int:
            return None, -1
        return known, step

    def write(self, address, known, step):
        with self._lock:
            self._entries[address] = {"run": known, "step": step}
            with replacing(self.path) as temporary:
                write_json(temporary, self._entries)
