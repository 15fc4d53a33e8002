"""A disk that is full, for tests of what is written to it."""

import contextlib

import pytest


@contextlib.contextmanager
def limited(size):
    """Within it, no file can become larger than so many bytes: writing more raises an `OSError`.

    As on a full disk, what fits is written before that.
    """
    resource = pytest.importorskip("resource", reason="Windows has no limit of file sizes")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
