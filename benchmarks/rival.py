"""The process that does the same work the published way."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .case import Way

ROOT = Path(__file__).resolve().parents[1]


class NoRival(Exception):
    """There is nothing to compare with."""


class RivalError(Exception):
    """The rival could not do what it was asked for."""


class Rival:
    """`python -m benchmarks.published`, of the interpreter in GAHR_TORCH_PYTHON or else this one.

    So it can be compared with where Keras runs on TensorFlow or JAX and there is no PyTorch. To be used
    in a `with` statement, at the end of which the process is over.

    Raises:
        NoRival: if the interpreter has no PyTorch.
    """

    def __init__(self):
        self._python = os.environ.get("GAHR_TORCH_PYTHON", sys.executable)
        code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
        try:
            found = subprocess.run([self._python, "-c", code], capture_output=True)
        except OSError as error:
            raise NoRival(f"GAHR_TORCH_PYTHON cannot be run: {error}") from error
        if found.returncode:
            raise NoRival(f"{self._python} has no PyTorch: set GAHR_TORCH_PYTHON to one that has")
        self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process is None:
            return
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, work, count, **options):
        """Its answer, {"seconds", "peak"}.

        Args:
            work: the name of a function in `benchmarks.published.work`.
            count: how much of it.
            options: what it is prepared with.

        Raises:
            RivalError: if it says so, or says nothing.
        """
        request = json.dumps({"work": work, "count": count, **options})
        # Not before, since many that have a rival never ask.
        self._process = self._process or self._start()
        try:
            print(request, file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RivalError(f"the rival ended with code {self._process.wait()} at {request}")
        answer = json.loads(line)
        if "error" in answer:
            raise RivalError(f"the rival failed at {request}: {answer['error']}")
        return answer

    def _start(self):
        return subprocess.Popen(
            [self._python, "-m", f"{__package__}.published"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def way(self, work, count, units=None, flops=None, **options):
        """The `Way` that asks for this work.

        Args:
            work, count, options: as for `ask`.
            units: how much that is in the units of the case; by default `count`.
            flops: see `Way`.
        """
        # PyTorch's convolutions round to TF32 on a GPU unless they are told not to.
        precision = "TF32" if options.get("device") == "cuda" else "float32"
        function = _Work(self, work, count, options)
        return Way(function, units or count, precision=precision, flops=flops)


class _Work:
    """Asks once a call; the peak memory is that of the rival's process."""

    def __init__(self, rival, work, count, options):
        self.rival = rival
        self.request = {"work": work, "count": count, **options}
        self.peak = None

    def __call__(self):
        answer = self.rival.ask(**self.request)
        self.peak = answer["peak"]
        return answer["seconds"]
