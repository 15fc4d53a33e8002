"""`python -m benchmarks.published`: does work that it is asked for and says how long it took.

It reads requests from standard input, each a line of JSON: {"work": NAME, "count": N} and what the work
of this name is prepared with. Each is answered by a line: {"seconds", "peak"}, where peak is by how many
bytes the memory of this process has risen at most since it began; or {"error"}.
"""

import json
import sys

import torch

from benchmarks.clock import now
from benchmarks.peak import peak_memory

from .work import WORK


def main():
    torch.manual_seed(0)
    before = peak_memory()
    prepared = {}
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
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
