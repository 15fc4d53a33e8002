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
from keras_gahr.datasets.store import is_dataset


def _ray(out, image, count, seed, progress=None):
    """Multiples of one image: a picture in a file, or the first image of a dataset."""
    if not is_dataset(image):
        return make_ray(image, out, count, seed, progress=progress)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.npy"
        np.save(path, load(image).as_float(0))
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
