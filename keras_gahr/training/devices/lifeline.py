"""Stopping a training whose starter has ended."""

import os
import signal
import threading
import time

_GRACE = 60.0
"""Seconds in which a step must be over."""


def stop_when_closed(descriptor):
    """Sends this process a SIGTERM when nobody can write to a pipe any more.

    Who started it holds the other end, which closes however that process ends. So a training stops
    after its step and keeps its state, instead of going on with nobody to stop it. One that has not
    ended after a minute, perhaps because it waits for another process that is gone, is ended at once
    and can go on from its last state.

    Args:
        descriptor: the end of the pipe that this process reads; what is written to it is ignored.
    """
    threading.Thread(target=_wait_for_end, args=(descriptor,), daemon=True).start()


def _wait_for_end(descriptor):
    # Not by a file object, whose lock this thread would still have when the interpreter ends.
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(128 + signal.SIGTERM)
