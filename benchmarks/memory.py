"""The memory that a way takes: `python -m benchmarks.memory BENCHMARK CASE WAY SCALE`.

It is measured in a process of its own, which prepares the way and calls it once: by how many bytes the
peak of its memory rises over what it was with all libraries imported. So the network, the optimizer and
what a compiler needs are counted. Where another process does the work, it is that one's.
"""

import contextlib
import dataclasses
import importlib
import json
import subprocess
import sys

from keras_gahr.heap import keep_freed_memory

from .case import Way
from .peak import peak_memory
from .registry import cases_of
from .rival import ROOT
from .scale import Scale


class MemoryUnknown(Exception):
    """The process that was to measure it failed."""


def memory_of(benchmark, case, way, scale):
    """The bytes of a way.

    Args:
        benchmark: the name of its module.
        case, way: their names.
        scale: a `Scale`.

    Raises:
        MemoryUnknown: if it cannot be measured.
    """
    scale = json.dumps(dataclasses.asdict(scale))
    command = [sys.executable, "-m", "benchmarks.memory", benchmark, case, way, scale]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"]
        raise MemoryUnknown(f"the memory of {way} ({case}) could not be measured: {said[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def main(benchmark, case, way, scale):
    scale = Scale(**{name: _tuples(value) for name, value in json.loads(scale).items()})
    keep_freed_memory()
    importlib.import_module(f"benchmarks.{benchmark}")
    before = peak_memory()
    with contextlib.closing(cases_of(benchmark, scale)) as cases:
        function = next(Way(*ways[way]).function for name, ways in cases if name == case)
        function()
        own = getattr(function, "peak", None)
        print(peak_memory() - before if own is None else own)


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


if __name__ == "__main__":
    main(*sys.argv[1:])
