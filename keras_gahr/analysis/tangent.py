"""What the best basis is known to be: the tangent spaces of low-dimensional families of images.

For small noise the best denoiser of a smooth family projects on the tangent space at the image (arXiv
2310.02557, section 4): as many factors are 1 as the family has dimensions, and their vectors span that space.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

from keras_gahr.datasets import (
    Dataset,
    disk_parameters,
    disk_tangent,
    ray_tangent,
    sine_parameters,
    sine_tangent,
)
from keras_gahr.errors import InputError


def principal_angles(vectors: ArrayLike, tangent: ArrayLike) -> np.ndarray:
    """The angles between the spans of two sets of images, in radians, the smallest first.

    Args:
        vectors, tangent: (k, height, width, channels) each; not necessarily orthonormal, and
            not necessarily as many.

    Returns:
        float64 (the smaller k,).

    Raises:
        InputError: for images of different sizes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import principal_angles
        >>> images = np.eye(4).reshape(4, 2, 2, 1)
        >>> np.degrees(principal_angles(images[:1], images[1:2])).round(3)
        array([90.])
    """
    first, second = (np.asarray(images, np.float64) for images in (vectors, tangent))
    if first.shape[1:] != second.shape[1:]:
        raise InputError(
            f"received vectors of shape {first.shape[1:]} and a tangent space of shape "
            f"{second.shape[1:]}: expected images of one size"
        )
    columns = (images.reshape(len(images), -1).T for images in (first, second))
    return scipy.linalg.subspace_angles(*columns)[::-1]


def tangent_space(dataset: Dataset, index: int) -> np.ndarray | None:
    """The tangent space at an image of a synthetic family.

    Args:
        dataset: a `Dataset` with its manifest.
        index: of the image.

    Returns:
        An orthonormal basis, float64 (k, height, width, channels): 5 images for disks (less those
        whose parameter is the same for all), 2 for sines, 1 for rays; None for other datasets, and
        for a part of a dataset, whose images' parameters are not known.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.analysis import tangent_space
        >>> from keras_gahr.datasets import Dataset
        >>> images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), np.uint8)
        >>> rays = Dataset(images, {"recipe": "ray", "parameters": {"count": 4}})
        >>> tangent_space(rays, 0).shape
        (1, 8, 8, 1)
    """
    recipe = dataset.manifest.get("recipe")
    parameters = dataset.manifest.get("parameters", {})
    if parameters.get("count") != len(dataset):
        return None
    if recipe == "ray":
        return ray_tangent(dataset.as_float(index))[0]
    if recipe not in {"sines", "disks"}:
        return None
    try:
        if parameters["size"] != dataset.images.shape[1]:
            raise ValueError("another size")
        if recipe == "disks":
            return _disk_tangent(parameters, index)
        drawn = sine_parameters(1, parameters["size"], parameters["seed"], index)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"the manifest of the images says they are {recipe}, but not with which parameters: make "
            "the dataset again"
        ) from error
    return sine_tangent(drawn, parameters["size"])[0]


def _disk_tangent(parameters, index):
    names = ("radii", "wrap", "centre", "foreground", "background")
    options = {name: parameters[name] for name in names if parameters.get(name) is not None}
    drawn = disk_parameters(1, parameters["size"], parameters["seed"], index, **options)
    smallest, largest = options["radii"]
    fixed = {
        "x": "centre" in options,
        "y": "centre" in options,
        "radius": smallest == largest,
        "foreground": "foreground" in options,
        "background": "background" in options,
    }
    varying = [name for name, known in fixed.items() if not known]
    wrap = options.get("wrap", False)
    return disk_tangent(drawn, parameters["size"], wrap, varying)[0]
