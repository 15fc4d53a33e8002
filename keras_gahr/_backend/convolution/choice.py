"""Which of several ways to a convolution is the fastest on this machine: measured once, and kept.

What is faster depends on the processor, its caches, the threads and the version of the backend, of which no
list is complete. Results differ by rounding only, whatever is chosen.
"""

import functools
import logging
import os
import time

import keras

from .choices_file import Choice, ChoicesFile, machine_file

VARIABLE = "KERAS_GAHR_CHOICES"
"""Environment variable: `measured` (the default), `usual` to measure nothing, or a file of choices."""

_CLEARLY = 0.95
"""Part of the first way's time that another must take less than: what differs by less is noise, and would be
chosen now and then. Times that agree within 3% are waited for."""

_AGREE = 1.03
"""Ways are timed in turns until the two shortest times of each differ by no more than this: a machine that
has other work to do takes longer for it."""

_MOST_SECONDS = 1.0
"""For one question, once each way has been timed twice."""

_OTHERS = 2**25 - 2**16
"""Bytes of what else passes through the caches of all cores between two uses of a kernel; glibc learns from
blocks of up to 32 MB."""

_decided = {}


def fastest(question, ways, usual, factors=None, may_measure=lambda: True):
    """The name of the fastest way.

    Args:
        question: what is computed, such as "3x3 kernels, 64 to 128 channels"; choices are kept by it.
        ways: a dictionary, first the way to take unless another is clearly faster; of each name a function
            without arguments that makes another one, which computes once and returns when the result is
            there. If that returns a float, it is the seconds that count.
        usual: the name of the way to take where nothing may be measured.
        factors: {way: by how much longer it takes than for what is measured}, where that is not 1.
        may_measure: a function that says whether numbers can be computed now; what is not known is the usual
            else.
    """
    source = _source()
    if source == "usual":
        return usual
    key = source, question, tuple(ways)
    if key not in _decided:
        file = machine_file() if source == "measured" else ChoicesFile(source, given=True)
        choice = None if file is None else file.choice(question)
        if choice is None or choice.way not in ways:
            if source == "measured" and not may_measure():
                return usual
            choice = Choice(usual)
            if source == "measured":
                choice = _measured(question, ways, file)
        _decided[key] = choice
    choice = _decided[key]
    if factors is None or choice.seconds is None or set(choice.seconds) != set(ways):
        return choice.way
    times = {way: choice.seconds[way] * factors.get(way, 1) for way in ways}
    return _clearly_fastest(times)


def as_in_a_network(compute, images):
    """A function for `fastest`: the seconds of a computation whose images have just been made.

    What else it takes, such as a kernel, has left the caches since it was used last. And arrays of many
    megabytes have been freed: once glibc has seen that, it takes the next ones from what it has.
    """

    def seconds():
        others = keras.ops.zeros(_OTHERS // 4, "float32")
        for passed in (others, images):
            keras.ops.convert_to_numpy(keras.ops.sum(passed))
        del others
        start = time.perf_counter()
        compute()
        return time.perf_counter() - start

    return seconds


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


def _measured(question, ways, file):
    _say_once("" if file is None else f", and kept in {file.path}")
    times = _times(ways)
    choice = Choice(_clearly_fastest(times), times)
    return choice if file is None else file.keep(question, choice)


def _clearly_fastest(times):
    first, quickest = next(iter(times)), min(times, key=times.get)
    return quickest if times[quickest] < _CLEARLY * times[first] else first


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
            own = compute()
            taken = own if isinstance(own, float) else time.perf_counter() - before
            shortest[name] = sorted([*shortest[name], taken])[:2]
        done += 1
    return {name: first for name, (first, _) in shortest.items()}
