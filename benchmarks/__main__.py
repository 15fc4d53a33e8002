"""Times this package against the published way of doing the same, and prints a table."""

import argparse
import json
import os
import sys
from pathlib import Path

from keras_gahr.backend_choice import BACKENDS, choose_backend
from keras_gahr.errors import InputError
from keras_gahr.files import replacing
from keras_gahr.heap import keep_freed_memory

from .registry import NAMES, NETWORKS
from .scale import CPU, GPU


def main(arguments=None, cpu=CPU, gpu=GPU, product_size=None):
    """Runs the command line; its sizes are parameters.

    Args:
        arguments: of the command line; by default the process's.
        cpu, gpu: the `Scale` without and with --gpu.
        product_size: of the matrices whose products a GPU is measured by.

    Returns:
        The exit code: 1 if a case failed.
    """
    options = parse(arguments)
    if options.gpu:
        # The rival needs room on the same device.
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    try:
        choose_backend(options.backend)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    # As `gahr` does.
    keep_freed_memory()
    # Only now, since this imports Keras.
    from .run import run

    scale = gpu if options.gpu else cpu
    names = options.names or (NETWORKS if options.gpu else NAMES)
    for results in run(names, scale, options.rounds, options.memory, options.gpu, product_size):
        if options.json:
            with replacing(options.json) as temporary:
                temporary.write_text(json.dumps(results, indent=1) + "\n")
    return 1 if results["failures"] else 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; by default all"
    )
    parser.add_argument("--backend", choices=BACKENDS, help="of Keras; by default as for gahr")
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each way (7)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write everything there too")
    parser.add_argument(
        "--no-memory",
        dest="memory",
        action="store_false",
        help="do not measure the memory, which takes a process for each way",
    )
    parser.add_argument(
        "--gpu", action="store_true", help="the cases with a network, at a size for a GPU"
    )
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in (NETWORKS if options.gpu else NAMES):
            parser.error(f"received {name!r}, expected some of {', '.join(NAMES)}")
    if options.rounds < 1:
        parser.error(f"received {options.rounds} rounds, expected at least 1")
    return options


if __name__ == "__main__":
    sys.exit(main())
