"""Datasets of synthetic images: what the families have in common.

A family called `thing` has `thing_images(count, size, seed, ..., start=0)`, whose image i depends on
the seed and i alone, and `make_thing(out, ...)`, which writes them as a dataset. A family with few
parameters also has `thing_parameters`, one row for each image, `draw_things`, from these rows to
images, and `thing_tangent`, from rows to an orthonormal basis of the directions in which an image
changes with its parameters. For small noise the best denoiser at an image is the projection on them.
"""

import numbers
from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.errors import InputError
from keras_gahr.progress import OnProgress

from .store import Dataset, load
from .writer import writing

BLOCK = 256
BLOCK_BYTES = 2**26


def make_generated(
    out: str | PathLike,
    recipe: str,
    parameters: dict[str, Any],
    image_shape: Sequence[int],
    images: Callable[[int, int], np.ndarray],
    overwrite: bool,
    progress: OnProgress,
) -> Dataset:
    """Makes a dataset of float32 images block by block.

    Args:
        out: the dataset folder to make.
        recipe: name of the family.
        parameters: all its parameters, for the manifest, with the number of images as "count".
        image_shape: (H, W, C).
        images: function (count, start) -> float32 (count, H, W, C).
        overwrite: replace an older dataset.
        progress: None, or called as progress(images done, images in all).

    Returns:
        The Dataset.

    Raises:
        InputError: if `out` exists.
    """
    count = parameters["count"]
    rows = max(1, min(BLOCK, BLOCK_BYTES // (4 * int(np.prod(image_shape)))))
    with writing(out, recipe, parameters, image_shape, "float32", overwrite) as writer:
        for start in range(0, count, rows):
            block = images(min(rows, count - start), start)
            writer.append(block)
            if progress:
                progress(start + len(block), count)
    return load(out, verify=False)


def check_sequence(
    count: int, seed: int, start: int = 0, size: int = 2
) -> tuple[int, int, int, int]:
    """The same as numbers of Python, which no product is too large for; refuses what no family can draw.

    Raises:
        InputError: unless count >= 1, size >= 2, 0 <= seed < 2^64 and start >= 0.
    """
    for value, name in ((count, "count"), (seed, "seed"), (start, "start"), (size, "size")):
        if not isinstance(value, numbers.Integral) or isinstance(value, bool):
            raise InputError(f"received {name} = {value!r:.80}, expected a whole number")
    if count < 1:
        raise InputError(f"{count} images asked for: expected 1 or more")
    if size < 2:
        raise InputError(f"the size is {size}: expected 2 pixels or more")
    if not 0 <= seed < 2**64:
        raise InputError(f"the seed is {seed}: expected an integer from 0 to 2^64 - 1")
    if start < 0:
        raise InputError(f"the first index is {start}: expected 0 or more")
    return int(count), int(seed), int(start), int(size)


def columns(parameters: ArrayLike) -> np.ndarray:
    """Each of k parameters (N, k) for images: float64 (k, N, 1, 1)."""
    return np.asarray(parameters, np.float64)[..., None, None].swapaxes(0, 1)


def orthonormal(derivatives: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the span of some images, for each of N points.

    Args:
        derivatives: (N, k, H, W, C), linearly independent for each point.

    Returns:
        float64 (N, k, H, W, C): the first j images span what the first j derivatives span.
    """
    vectors = derivatives.reshape(*derivatives.shape[:2], -1).swapaxes(1, 2)
    basis, triangle = np.linalg.qr(vectors)
    # The sign that Gram and Schmidt would choose; LAPACK's depends on the version.
    basis = basis * np.sign(np.diagonal(triangle, axis1=1, axis2=2))[:, None]
    return basis.swapaxes(1, 2).reshape(derivatives.shape)
