"""A disk that is full or read-only, for tests of what is written to it."""

import contextlib
import os

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


@contextlib.contextmanager
def without_rights(path, mode=0):
    """Within it, a file or folder may not be read, or only what the mode says; not for root."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        if os.access(path, os.W_OK):
            pytest.skip("this user, as root, may read and write everything")
        yield
    finally:
        path.chmod(before)
