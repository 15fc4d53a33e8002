"""Timing several ways to do the same work, fairly."""

import sys

from .case import Unable, Way
from .clock import now
from .comparison import compared


def alternate(name, ways, rounds):
    """Times some ways, one after the other and again.

    Whatever else the machine does meets all ways alike. The first round, in which ways are prepared and
    compiled, is not counted; a line on standard error says how long each way took. Ratios are taken within
    each round, so that a machine that becomes slower changes them little.

    Args:
        name: of the case.
        ways: see `benchmarks.case`.
        rounds: number of measurements of each.

    Returns:
        A list of {"benchmark", "way", "precision"} and what `benchmarks.comparison` says, one for each way,
        with seconds a unit; or {"unable"} in place of that, the reason why it cannot be timed.
    """
    ways = {way: Way(*fields) for way, fields in ways.items()}
    seconds, unable = {way: [] for way in ways}, {}
    for round_number in range(rounds + 1):
        for way in list(seconds):
            started = now()
            try:
                own = ways[way].function()
            except Unable as reason:
                unable[way] = str(reason)
                del seconds[way]
                continue
            taken = own if isinstance(own, float) else now() - started
            if round_number == 0:
                ready = f"{name}: {way} is ready after {now() - started:.0f} s"
                print(ready, file=sys.stderr, flush=True)
            else:
                seconds[way].append(taken / ways[way].units)
    found = compared(ways, seconds)
    return [
        {"benchmark": name, "way": way, "precision": fields.precision}
        | (found[way] if way in found else {"unable": unable[way]})
        for way, fields in ways.items()
    ]
