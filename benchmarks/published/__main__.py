"""`python -m benchmarks.published`: does work that it is asked for and says how long it took.

It reads requests from standard input, each a line of JSON: {"work": NAME, "count": N} and what the work
of this name is prepared with. Each is answered by a line: {"seconds", "peak"}, where peak is by how many
bytes the memory of this process has risen at most since it began; or {"error"}; or {"unable"}, which
tells why work cannot be done in this way here.
"""

import json
import os
import sys

import torch

from benchmarks.clock import now
from benchmarks.peak import peak_memory

from .running import CannotCompile
from .work import WORK


def main():
    torch.manual_seed(0)
    before = peak_memory()
    prepared = {}
    # Whatever compilers print is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            request = json.loads(line)
            count = request.pop("count")
            key = json.dumps(request, sort_keys=True)
            if key not in prepared:
                prepared[key] = WORK[request.pop("work")](**request)
            started = now()
            prepared[key](count)
            seconds = now() - started
            answer = {"seconds": seconds, "peak": peak_memory() - before}
        except CannotCompile as reason:
            answer = {"unable": f"cannot be compiled: {reason}"}
        except ModuleNotFoundError as reason:
            answer = {"unable": f"{reason.name} is not installed"}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
