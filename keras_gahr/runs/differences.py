"""In what the trainings in a report differ."""

import itertools
from collections.abc import Mapping

from keras_gahr.report.document import Section, Table

PARTS = ("data", "denoiser", "training")
"""Of config.json, which determine a training."""


def differences_section(runs, labels):
    """A `Section` of what is not the same in all runs; None if there is one run only.

    Args:
        runs: a list of `RunFacts`.
        labels: their `RunLabels`.
    """
    if len(runs) == 1:
        return None
    found = [_flat(run) for run in runs]
    names = dict.fromkeys(itertools.chain(*found))
    rows = [
        [name, *(values.get(name) for values in found)]
        for name in names
        if any(values.get(name) != found[0].get(name) for values in found)
    ]
    if not rows:
        return Section("What differs", ["All runs have the same settings, images and versions."])
    return Section(
        "What differs",
        items=[
            Table(
                ["setting", *labels.long],
                rows,
                "Settings that are not the same in all runs; all others are.",
            )
        ],
    )


def _flat(run):
    """What determined a training, by names with dots; values as text."""
    found = {}

    def walk(value, name):
        if isinstance(value, Mapping):
            for key, part in value.items():
                walk(part, f"{name}.{key}")
        else:
            found[name] = value if value is None else str(value)

    for part in (*PARTS, "versions"):
        walk(run.part(part), part)
    walk(run.config.get("backend"), "backend")
    return found
