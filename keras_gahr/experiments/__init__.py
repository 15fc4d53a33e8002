"""The paper's experiments: settings, run, numbers."""

import importlib

from keras_gahr.errors import InputError

_HOMES = {
    "transition": "Transition",
    "eigenbasis": "FaceEigenbasis",
    "c_alpha": "CAlphaRates",
    "disks": "Disks",
    "duplicates": "Duplicates",
    "capacity": "Capacity",
    "ray": "Ray",
    "sines": "Sines",
    "shuffled": "Shuffled",
}
"""The module of each experiment, which is also its name, and its class in there."""

NAMES = tuple(_HOMES)
"""Of all experiments, in the order of the paper's figures."""


def find_experiment(name):
    """The `Experiment` of a name.

    Raises:
        InputError: if there is none.
    """
    if name not in _HOMES:
        raise InputError(f"received experiment {name!r}, expected one of {', '.join(NAMES)}")
    return getattr(importlib.import_module(f"{__name__}.{name}"), _HOMES[name])()
