"""Waiting for something that must happen, however long a loaded machine takes for it."""

import time

FOR_EVER = 1200
"""Seconds after which a test that hangs is given up. Nothing that works comes near it on any machine."""


def wait_until(condition, process=None):
    """Returns when a condition is true.

    Args:
        condition: a function without arguments.
        process: a `subprocess.Popen` that is to make it true; if it has ended, waiting is over.

    Raises:
        AssertionError: if the process ended before, or nothing happens.
    """
    given_up = time.monotonic() + FOR_EVER
    while not condition():
        assert time.monotonic() < given_up, "it hangs"
        if process is not None and process.poll() is not None:
            assert condition(), f"the process ended with code {process.returncode}"
            return
        time.sleep(0.01)
