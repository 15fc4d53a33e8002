"""Which of several ways to a convolution is the fastest on this machine: measured once, and kept.

What is faster depends on the processor, its caches, the threads and the version of the backend, of which no
list is complete. Results differ by rounding only, whatever is chosen.
"""

import functools
import logging
import os
import time

from .choices_file import ChoicesFile, machine_file

VARIABLE = "KERAS_GAHR_CHOICES"
"""Environment variable: `measured` (the default), `usual` to measure nothing, or a file of choices."""

_CLEARLY = 0.9
"""Part of the usual way's time that another must take less than: what differs by less is noise, and would
be chosen now and then."""

_ROUNDS = 5
_SECONDS = 0.25
"""For one question, once every way has been timed once."""

_decided = {}


def fastest(question, ways, usual):
    """The name of the fastest way.

    Args:
        question: what is computed, such as "3x3 kernels, 64 to 128 channels"; choices are kept by it.
        ways: a dictionary; of each name a function without arguments that makes another one, which
            computes once and returns when the result is there.
        usual: the name of the way to take unless another is clearly faster, or nothing may be measured.
    """
    source = os.environ.get(VARIABLE) or "measured"
    if source == "usual":
        return usual
    key = source, question, tuple(ways)
    if key not in _decided:
        file = machine_file() if source == "measured" else ChoicesFile(source, given=True)
        choice = None if file is None else file.choice(question)
        if choice not in ways:
            choice = usual
            if source == "measured":
                choice = _measured(question, ways, usual, file)
        _decided[key] = choice
    return _decided[key]


def described():
    """Where choices come from, in words."""
    source = os.environ.get(VARIABLE) or "measured"
    if source == "usual":
        return "the usual ones, nothing is measured"
    if source != "measured":
        return f"those of {source}"
    file = machine_file()
    return "measured by each process" if file is None else f"measured, kept in {file.path}"


def _measured(question, ways, usual, file):
    _say_once("" if file is None else f", and kept in {file.path}")
    times = _times(ways)
    quickest = min(times, key=times.get)
    choice = quickest if times[quickest] < _CLEARLY * times[usual] else usual
    return choice if file is None else file.keep(question, choice, times)


@functools.cache
def _say_once(kept):
    logging.getLogger(__name__).info(
        "the fastest convolutions of this machine are measured, for some seconds%s", kept
    )


def _times(ways):
    """Seconds of each way: the shortest of some, taken in turns, so that a busy moment hits all."""
    prepared = {name: prepare() for name, prepare in ways.items()}
    for compute in prepared.values():
        compute()  # Compiles, and fills the caches.
    times = dict.fromkeys(ways, float("inf"))
    start = time.perf_counter()
    for done in range(_ROUNDS):
        if done and time.perf_counter() - start > _SECONDS:
            break
        for name, compute in prepared.items():
            before = time.perf_counter()
            compute()
            times[name] = min(times[name], time.perf_counter() - before)
    return times
