"""The process that does the same work the published way."""

import json
import os
import subprocess
import sys
from pathlib import Path

from keras_gahr._backend.processor import has_bfloat16

from .case import Unable, Way

ROOT = Path(__file__).resolve().parents[1]

RUNNINGS = {
    "eager": {},
    "channels-last": {"channels_last": True},
    "compiled": {"channels_last": True, "compiled": True},
}
"""The ways to run PyTorch, see `benchmarks.published.running`."""

PLAIN = {"cpu": "float32", "cuda": "TF32"}
"""What eager PyTorch computes convolutions in, unless it is told otherwise."""


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
            Unable: if it has no compiler for it.
            RivalError: if it says that it failed, or says nothing.
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
            code = self._process.wait()
            # The next case may begin anew.
            self._process = None
            raise RivalError(f"the rival ended with code {code} at {request}")
        answer = json.loads(line)
        if "unable" in answer:
            raise Unable(answer["unable"])
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

    def way(self, work, count, **options):
        """The `Way` that asks for this work, see `ask`; a unit is one of `count`."""
        return Way(_Work(self, work, count, options), count, rival=True)

    def network_way(self, scale, work, count, units=None, flops=None, **options):
        """The `Way` that asks for this work with the UNet of a `Scale`.

        Args:
            scale, work, count: see `Scale` and `ask`.
            units: how much that is in the units of the case; by default `count`.
            flops: see `Way`.
            options: of the work, and of `benchmarks.published.running`; plain by default.
        """
        options = {"device": scale.device, "precision": PLAIN[scale.device]} | options
        sizes = {"kernels": scale.kernels, "blocks": scale.blocks}
        function = _Work(self, work, count, options | sizes)
        return Way(function, units or count, None, options["precision"], flops, rival=True)

    def network_ways(self, scale, *work, runnings=RUNNINGS, **options):
        """All ways to run it, {name: `Way`}; the first one is plain.

        Args:
            scale: a `Scale`, which says what is compiled, too.
            runnings: {name: options}.
            work, options: as for `network_way`.
        """
        return {
            f"PyTorch, {running}, {precision}": self.network_way(
                scale, *work, precision=precision, **flags, **options
            )
            for precision in _precisions(scale)
            for running, flags in runnings.items()
            if precision in scale.compiled or "compiled" not in flags
        }


def _precisions(scale):
    """Those that PyTorch is run in; in bfloat16 only by processors that have instructions for it."""
    first = PLAIN[scale.device]
    others = [precision for precision in scale.precisions if precision != first]
    if scale.device == "cpu" and not has_bfloat16():
        others = [precision for precision in others if precision != "bfloat16"]
    return [first, *others]


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
