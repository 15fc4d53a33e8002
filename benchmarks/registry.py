"""The benchmarks by name; each is a module with a function `cases`, see `benchmarks.case`."""

import importlib

NETWORKS = ("training", "denoising", "sampling", "jacobian", "eigenpairs")
"""Their functions take a `Scale`."""

NAMES = (*NETWORKS, "c_alpha", "disks", "deduplication", "nearest", "local")
"""All, in the order in which they run."""


def cases_of(name, scale):
    """The cases of a benchmark, at a `Scale` if it has a network."""
    module = importlib.import_module(f"{__package__}.{name}")
    return module.cases(scale) if name in NETWORKS else module.cases()
