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


def _shuffled(out, dataset, seed, progress=None):
    return make_shuffled(dataset, out, seed, progress=progress)


def _repeated(out, dataset, distinct, repeats, seed, progress=None):
    return make_repeated(dataset, out, distinct, repeats, seed, progress=progress)


def _resized(out, dataset, size, progress=None):
    return make_resized(dataset, out, size, progress=progress)


RECIPES = {
    "c_alpha": make_c_alpha,
    "disks": make_disks,
    "ray": _ray,
    "repeated": _repeated,
    "resized": _resized,
    "shuffled": _shuffled,
    "sines": make_sines,
}
"""Functions of the folder to make, `out`, of the parameters of a `DatasetTask`, and of `progress`."""
