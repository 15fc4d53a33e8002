"""Memory that glibc keeps, as between the steps of a training."""

import platform
import subprocess
import sys
import types

import pytest

from keras_gahr import heap

GLIBC = platform.libc_ver()[0] == "glibc"

# 48 blocks of 1 MiB, freed and asked for again: each new page of them is a fault.
STEPS = """
import ctypes, importlib.util, resource, sys
spec = importlib.util.spec_from_file_location("heap", sys.argv[1])
heap = importlib.util.module_from_spec(spec)
spec.loader.exec_module(heap)
if sys.argv[2] == "keep":
    assert heap.keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def step():
    blocks = [libc.malloc(2**20) for _ in range(48)]
    for block in blocks:
        ctypes.memset(block, 1, 2**20)
    for block in reversed(blocks):
        libc.free(block)
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how):
    command = [sys.executable, "-c", STEPS, heap.__file__, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not GLIBC, reason="needs glibc")
def test_freed_memory_is_used_again():
    # 5 steps of 48 MiB are 61,440 pages; without it (the negative control) all of them are new.
    assert faults("keep") < 1_000
    assert faults("as it is") > 10_000


@pytest.mark.parametrize("error", [OSError, TypeError])
def test_other_systems_are_left_alone(monkeypatch, error):
    def refuse(name):
        raise error

    monkeypatch.setattr(heap.ctypes, "CDLL", refuse)
    assert not heap.keep_freed_memory()


def test_a_library_without_mallopt_is_left_alone(monkeypatch):
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: types.SimpleNamespace())
    assert not heap.keep_freed_memory()


def test_a_refusal_is_told(monkeypatch):
    library = types.SimpleNamespace(mallopt=lambda parameter, value: 0)
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: library)
    assert not heap.keep_freed_memory()
