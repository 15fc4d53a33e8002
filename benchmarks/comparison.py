"""Which way each is compared with."""

import statistics


def best_rivals(ways, seconds):
    """The fastest rival of each precision, by the median: {precision: name}.

    Args:
        ways: {name: `Way`}.
        seconds: {name: of each round}, of those that could be timed, the first way among them.
    """
    timed = [way for way in ways if way in seconds]
    rivals = [way for way in timed if ways[way].rival] or timed[:1]
    best = {}
    # From the slowest to the fastest, so that this one stays.
    for way in sorted(rivals, key=lambda way: -statistics.median(seconds[way])):
        best[ways[way].precision] = way
    return best


def compared(ways, seconds):
    """What is said of each way that could be timed.

    A way is compared with the best rival of its own precision; where there is none, with the best in float32;
    else with the first way.

    Returns:
        {name: {"median", "spread", "against", "ratio", "plain_ratio"}}, with the rival's name, and the
        median of the part of its seconds and of the first way's, taken within each round.
    """
    best, first = best_rivals(ways, seconds), next(iter(seconds))
    found = {}
    for way, values in seconds.items():
        against = best.get(ways[way].precision) or best.get("float32") or first
        found[way] = {
            "median": statistics.median(values),
            "spread": [min(values), max(values)],
            "against": against,
            "ratio": _part(values, seconds[against]),
            "plain_ratio": _part(values, seconds[first]),
        }
    return found


def _part(values, others):
    return statistics.median(a / b for a, b in zip(values, others, strict=True))
