"""The paper's experiments, a folder for each figure: what is trained, what is found, the report."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import keras_gahr.before_keras  # noqa: F401
from keras_gahr.errors import InputError

if TYPE_CHECKING:
    from keras_gahr.reproduction.experiment import Experiment

__all__ = ["NAMES", "find_experiment"]

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
    "onset": ("onset.experiment", "Onset"),
    "molrg": ("molrg.experiment", "MoLRG"),
    "density": ("density.experiment", "Densities"),
    "locality": ("locality.experiment", "Locality"),
    "pretrained": ("pretrained.experiment", "Pretrained"),
}
"""The module and the class of each experiment by its name."""

NAMES = tuple(_HOMES)
"""Of all experiments, in the order of the paper's figures."""


def find_experiment(name: str) -> Experiment:
    """The `Experiment` of a name.

    Raises:
        InputError: if there is none.

    Examples:
        >>> import keras_gahr as kg
        >>> experiment = kg.experiments.find_experiment("capacity")
        >>> experiment.name, experiment.name in kg.experiments.NAMES
        ('capacity', True)
    """
    if name not in _HOMES:
        raise InputError(f"received experiment {name!r}, expected one of {', '.join(NAMES)}")
    module, experiment = _HOMES[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), experiment)()
