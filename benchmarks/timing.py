"""Timing several ways to do the same work, fairly."""

import statistics
import time


def alternate(name, ways, rounds):
    """Times some ways to make images, one after the other and again.

    Whatever else the machine does meets all ways alike. The first round is not counted.

    Args:
        name: of the benchmark.
        ways: {way: (function, number of images that a call of it makes)}; the first way is what
            the others are compared with.
        rounds: number of measurements of each.

    Returns:
        A list of {"benchmark", "way", "median", "spread", "ratio"}, one for each way, with seconds
        an image, its smallest and largest, and how many times as fast as the first way.
    """
    seconds = {way: [] for way in ways}
    for round_number in range(rounds + 1):
        for way, (function, count) in ways.items():
            started = time.perf_counter()
            function()
            if round_number:
                seconds[way].append((time.perf_counter() - started) / count)
    medians = {way: statistics.median(values) for way, values in seconds.items()}
    first = next(iter(medians.values()))
    return [
        {
            "benchmark": name,
            "way": way,
            "median": medians[way],
            "spread": [min(values), max(values)],
            "ratio": first / medians[way],
        }
        for way, values in seconds.items()
    ]
