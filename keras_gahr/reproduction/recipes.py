"""How the datasets of experiments are made."""

from keras_gahr.datasets import (
    make_c_alpha,
    make_disks,
    make_mixture,
    make_ray,
    make_shuffled,
    make_sines,
)
from keras_gahr.datasets.repeated import make_repeated
from keras_gahr.datasets.resized import make_resized


def _from_dataset(make):
    """A recipe of a function that makes a dataset from another one."""

    def recipe(out, dataset, progress=None, **parameters):
        return make(dataset, out, progress=progress, **parameters)

    return recipe


RECIPES = {
    "c_alpha": make_c_alpha,
    "disks": make_disks,
    "mixture": make_mixture,
    "ray": _from_dataset(make_ray),
    "repeated": _from_dataset(make_repeated),
    "resized": _from_dataset(make_resized),
    "shuffled": _from_dataset(make_shuffled),
    "sines": make_sines,
}
"""Functions of the folder to make, `out`, of the parameters of a `DatasetTask`, and of `progress`."""
