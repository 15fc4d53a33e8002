"""A rival that does nothing, so that the harness can be tested on every backend."""

import sys

import pytest
from systems import skip_without_scripts

from benchmarks.scale import Scale

_ANSWERS = """#!{python}
import json, sys
if "-c" in sys.argv:
    sys.exit({code})
for line in sys.stdin:
    request = json.loads(line)
    {answer}
"""

TINY = Scale(
    compiled=(),
    kernels=2,
    blocks=1,
    side=8,
    batch=2,
    steps=1,
    denoised=((8, 2, 1), (8, 1, 2)),
    drawn_side=8,
    drawn=(2,),
    drawn_steps=3,
    drawn_one_by_one=1,
    jacobian_side=8,
    jacobian_batch=8,
    rows=2,
    block_products=1,
)


@pytest.fixture
def tiny():
    """A `Scale` of no time."""
    return TINY


@pytest.fixture
def rival(tmp_path, monkeypatch):
    """A function that installs an interpreter in place of the rival's.

    It takes what is done with a `request`, in Python, and the code with which it says whether it has
    PyTorch.
    """
    skip_without_scripts()

    def install(answer='print(json.dumps({"seconds": 1.0, "peak": 1000}), flush=True)', code=0):
        program = tmp_path / "rival"
        program.write_text(_ANSWERS.format(python=sys.executable, answer=answer, code=code))
        program.chmod(0o755)
        monkeypatch.setenv("GAHR_TORCH_PYTHON", str(program))

    return install
