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

_AGREE = 1.03
"""Ways are timed in turns until the two shortest times of each differ by no more than this: a machine that
has other work to do takes longer for it."""

_MOST_SECONDS = 1.0
"""For one question, once each way has been timed twice."""

_decided = {}


def fastest(question, ways, usual):
    """The name of the fastest way.

    Args:
        question: what is computed, such as "3x3 kernels, 64 to 128 channels"; choices are kept by it.
        ways: a dictionary; of each name a function without arguments that makes another one, which
            computes once and returns when the result is there.
        usual: the name of the way to take unless another is clearly faster, or nothing may be measured.
    """
    source = _source()
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
    source = _source()
    if source == "usual":
        return "the usual ones, nothing is measured"
    if source != "measured":
        return f"those of {source}"
    file = machine_file()
    return "measured by each process" if file is None else f"measured, kept in {file.path}"


def _source():
    return os.environ.get(VARIABLE) or "measured"


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
    """Seconds of each way: the shortest of some."""
    prepared = {name: prepare() for name, prepare in ways.items()}
    for compute in prepared.values():
        compute()  # Compiles, and fills the caches.
    shortest = {name: [float("inf")] * 2 for name in ways}
    start = time.perf_counter()
    done = 0
    while done < 2 or not (
        time.perf_counter() - start > _MOST_SECONDS
        or all(second <= _AGREE * first for first, second in shortest.values())
    ):
        for name, compute in prepared.items():
            before = time.perf_counter()
            compute()
            taken = time.perf_counter() - before
            shortest[name] = sorted([*shortest[name], taken])[:2]
        done += 1
    return {name: first for name, (first, _) in shortest.items()}
