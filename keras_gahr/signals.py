"""Signals that ask a process to end: Ctrl-C, `kill`, and a terminal that was closed."""

import contextlib
import os
import signal
import sys
import threading

ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Windows has no SIGHUP."""

_ALWAYS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def taken_over(handler):
    """Within it, a function handles the signals that ask to end, if this is the main thread.

    That of a closed terminal stays ignored if it is, as by `nohup`. Such a terminal takes no more output,
    which goes nowhere then instead of failing.

    Args:
        handler: as for `signal.signal`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number, frame):
        if number not in _ALWAYS:
            _let_go_of_the_terminal()
        handler(number, frame)

    previous = {
        number: signal.signal(number, handle)
        for number in ENDING
        if number in _ALWAYS or signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, old in previous.items():
            signal.signal(number, old)


def _let_go_of_the_terminal():
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            descriptor = stream.fileno()
        except (AttributeError, OSError, ValueError):  # None, closed, or not a file.
            continue
        try:
            os.write(descriptor, b"")
        except OSError:
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), descriptor)
