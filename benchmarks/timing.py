"""Timing several ways to do the same work, fairly."""

import statistics

from .case import Way
from .clock import now


def alternate(name, ways, rounds):
    """Times some ways, one after the other and again.

    Whatever else the machine does meets all ways alike. The first round, in which ways are prepared and
    compiled, is not counted. Ratios are taken within each round, so that a machine that becomes slower
    changes them little.

    Args:
        name: of the case.
        ways: see `benchmarks.case`.
        rounds: number of measurements of each.

    Returns:
        A list of {"benchmark", "way", "median", "spread", "ratio"}, one for each way, with seconds
        a unit, the smallest and largest of them, and the median of the part of the first way's
        seconds.
    """
    ways = {way: Way(*fields) for way, fields in ways.items()}
    seconds = {way: [] for way in ways}
    for round_number in range(rounds + 1):
        for way, (function, units, *_) in ways.items():
            started = now()
            own = function()
            taken = own if isinstance(own, float) else now() - started
            if round_number:
                seconds[way].append(taken / units)
    first = next(iter(seconds.values()))
    return [
        {
            "benchmark": name,
            "way": way,
            "median": statistics.median(values),
            "spread": [min(values), max(values)],
            "ratio": statistics.median(a / b for a, b in zip(values, first, strict=True)),
        }
        for way, values in seconds.items()
    ]
