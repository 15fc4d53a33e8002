"""`python -m benchmarks NAME... [--rounds N] [--json OUT]`: run benchmarks and print a table."""

import argparse
import importlib
import json
import os
import platform
from pathlib import Path

import numpy as np

from .timing import alternate

NAMES = ("c_alpha", "disks", "jacobian", "sampling")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="+", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each (7)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the numbers there too")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.names:
        module = importlib.import_module(f"{__package__}.{name}")
        rows += [row for case in module.cases() for row in alternate(*case, arguments.rounds)]
    print(f"{'benchmark':34} {'way':12} {'ms / image':>11} {'spread':>17} {'ratio':>7}")
    for row in rows:
        low, high = (1e3 * seconds for seconds in row["spread"])
        print(
            f"{row['benchmark']:34} {row['way']:12} {1e3 * row['median']:11.4f} "
            f"{low:8.4f}-{high:8.4f} {row['ratio']:7.1f}"
        )
    if arguments.json:
        machine = {
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "numpy": np.__version__,
        }
        arguments.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
