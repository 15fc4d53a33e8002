"""The paper's experiments, a folder for each figure: what is trained, what is found, the report."""

import importlib

from keras_gahr.errors import InputError

_HOMES = {
    "transition": ("transition.experiment", "Transition"),
    "eigenbasis": ("eigenbasis.experiment", "FaceEigenbasis"),
    "c_alpha": ("c_alpha.experiment", "CAlphaRates"),
    "disks": ("tangent.disks", "Disks"),
    "duplicates": ("duplicates.experiment", "Duplicates"),
    "capacity": ("capacity.experiment", "Capacity"),
    "ray": ("tangent.ray", "Ray"),
    "sines": ("tangent.sines", "Sines"),
    "shuffled": ("shuffled.experiment", "Shuffled"),
}
"""The module and the class of each experiment by its name."""

NAMES = tuple(_HOMES)
"""Of all experiments, in the order of the paper's figures."""


def find_experiment(name):
    """The `Experiment` of a name.

    Raises:
        InputError: if there is none.
    """
    if name not in _HOMES:
        raise InputError(f"received experiment {name!r}, expected one of {', '.join(NAMES)}")
    module, experiment = _HOMES[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), experiment)()
