"""Some benchmarks, one after the other."""

import sys
import traceback

import keras
from rich.console import Console

from .case import Way
from .machine import description
from .matrix_product import SIZE, product_rate
from .memory import MemoryUnknown, memory_of
from .registry import cases_of
from .rival import NoRival, RivalError
from .table import table
from .timing import alternate

_WIDTH = 125
"""Of lines that go into a file."""


def run(names, scale, rounds, memory=True, rates=False, product_size=None):
    """Runs benchmarks and prints a table of each case.

    Args:
        names: of modules.
        scale: a `Scale`.
        rounds: measurements of each way.
        memory: whether to measure memory, which is that of processes and not of a GPU.
        rates: whether to compare with the rate of matrix products, which is measured first.
        product_size: of those matrices.

    Yields:
        After each case all results so far, as plain values: {"machine", "products" (their rate by
        precision), "rows", "failures"}.
    """
    precisions = scale.precisions if rates else ()
    products = {each: product_rate(each, product_size or SIZE) for each in precisions}
    results = {"machine": description(), "products": products, "rows": [], "failures": []}
    console, backend = Console(), keras.backend.backend()
    if not console.is_terminal:
        console.width = _WIDTH
    for name in names:
        cases = cases_of(name, scale)
        while True:
            title = name
            try:
                title, ways = next(cases)
                ways = {way: Way(*fields) for way, fields in ways.items()}
                found = alternate(title, ways, rounds)
                for row, way in zip(found, ways.values(), strict=True):
                    if "unable" not in row:
                        _add_rates(row, way, products)
                if memory and scale.device == "cpu":
                    _add_memory(found, ways, name, scale)
                for row, way in zip(found, ways.values(), strict=True):
                    row["targets"] = way.target.verdicts(row, backend) if way.target else []
                results["rows"] += found
                console.print(table(found, f"{title}; {backend}, {rounds} rounds", rates))
            except StopIteration:
                break
            except NoRival as reason:
                print(f"{name}: skipped, {reason}", file=sys.stderr)
            except Exception as error:
                # The other cases say what they say without this one.
                if not isinstance(error, RivalError | MemoryUnknown):
                    traceback.print_exception(error)
                print(f"{title}: failed, {error}", file=sys.stderr)
                results["failures"].append(f"{title}: {error}")
            yield results


def _add_rates(row, way, products):
    """How much is computed in a second, and the part of the rate of products in this precision."""
    if way.flops:
        row["flops"] = way.flops / row["median"]
        if way.precision in products:
            row["share"] = row["flops"] / products[way.precision]


def _add_memory(rows, ways, name, scale):
    """The memory of each way, and the part of the first one's.

    Not of the other rivals, since compilers take minutes.
    """
    for index, row in enumerate(rows):
        if "unable" in row or (index and ways[row["way"]].rival):
            continue
        row["memory"] = memory_of(name, row["benchmark"], row["way"], scale)
        row["memory_ratio"] = row["memory"] / max(1, rows[0]["memory"])
