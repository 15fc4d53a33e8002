"""How the datasets of experiments are made."""

import tempfile
from pathlib import Path

import numpy as np

from keras_gahr.datasets import (
    load,
    make_c_alpha,
    make_disks,
    make_ray,
    make_shuffled,
    make_sines,
)
from keras_gahr.datasets.repeated import make_repeated
from keras_gahr.datasets.resized import make_resized


def _ray(out, dataset, count, seed, progress=None):
    """Multiples of the first image of a dataset."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.npy"
        np.save(path, load(dataset).as_float(0))
        return make_ray(path, out, count, seed, progress=progress)


def _from_dataset(make):
    """A recipe of a function that makes a dataset from another one."""

    def recipe(out, dataset, progress=None, **parameters):
        return make(dataset, out, progress=progress, **parameters)

    return recipe


RECIPES = {
    "c_alpha": make_c_alpha,
    "disks": make_disks,
    "ray": _ray,
    "repeated": _from_dataset(make_repeated),
    "resized": _from_dataset(make_resized),
    "shuffled": _from_dataset(make_shuffled),
    "sines": make_sines,
}
"""Functions of the folder to make, `out`, of the parameters of a `DatasetTask`, and of `progress`."""
