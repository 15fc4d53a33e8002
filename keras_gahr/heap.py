"""The memory that a process gives back to the system and asks for again."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's `mallopt`."""

_MOST_KEPT = 2**31 - 1
_LARGEST_BLOCK = 2**25
"""The largest that glibc takes, and what it comes to by itself: the others would keep it from rising."""


def keep_freed_memory():
    """Lets glibc keep up to 2 GB of freed memory for what comes next.

    After each step of a training, and each batch of a large network, it would return the end of its heap
    to the system and then get it page by page again, each one filled with zeros. That is for processes
    which compute for long: it cannot be taken back, so that `gahr` does it and no import does. Without
    glibc nothing changes.

    Returns:
        Whether it was done.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):
        # Another system: macOS and musl have none, Windows no library without a name.
        return False
    values = {
        M_TRIM_THRESHOLD: _MOST_KEPT,
        M_MMAP_THRESHOLD: _LARGEST_BLOCK,
    }
    return all(mallopt(parameter, value) == 1 for parameter, value in values.items())
