"""A set with repeated images, as the collections have that nobody has looked through.

Pictures that were found twice differ a little: another exposure, another compression. Here a repeat
is the image times a number close to 1, with faint noise added.
"""

from os import PathLike
from pathlib import Path

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.progress import OnProgress

from .draws import raw, to_uniform
from .store import Dataset, load
from .writer import writing

GAIN = 0.1
"""A repeat is multiplied by a number from 1 - GAIN to 1."""

AMPLITUDE = 0.02
"""Noise is added to each pixel of a repeat, uniform from -AMPLITUDE to AMPLITUDE."""


def make_repeated(
    source: str | PathLike,
    out: str | PathLike,
    distinct: int,
    repeats: int,
    seed: int,
    overwrite: bool = False,
    progress: OnProgress = None,
) -> Dataset:
    """Makes a dataset whose first images are repeats of a few, the others as they are.

    Image k is, for k < distinct * repeats, image k modulo `distinct` of the source, unchanged for
    k < distinct; the images after these are those of the source from `distinct * repeats` on.

    Args:
        source: a dataset folder, or an array of images in a `.npy` or `.npz` file.
        out: the dataset folder to make.
        distinct: how many images are repeated.
        repeats: how often each is there.
        seed: integer in [0, 2^64), of what the repeats differ by.
        overwrite: replace an older dataset.
        progress: called as progress(images done, images in all).

    Returns:
        The Dataset.

    Raises:
        InputError: if there are fewer images than `distinct * repeats`, or one of these is below 1,
            if the source cannot be read, or if `out` exists.
    """
    dataset = load(source)
    if min(distinct, repeats) < 1 or distinct * repeats > len(dataset):
        raise InputError(
            f"received {distinct} images to be there {repeats} times each, expected at least 1 of "
            f"each and no more than the dataset's {len(dataset)} in all"
        )
    parameters = {
        "source": dataset.describe_source(source),
        "distinct": distinct,
        "repeats": repeats,
        "seed": seed,
    }
    shape = dataset.images.shape[1:]
    originals = dataset.as_float(slice(distinct))
    with writing(Path(out), "repeated", parameters, shape, "float32", overwrite) as writer:
        writer.append(originals)
        for turn in range(1, repeats):
            writer.append(_altered(originals, seed, turn * distinct))
        for start in range(distinct * repeats, len(dataset), distinct):
            writer.append(dataset.as_float(slice(start, start + distinct)))
            if progress:
                progress(writer.count, len(dataset))
    return load(out, verify=False)


def _altered(images, seed, start):
    """Images as they are when they are found a second time."""
    shape = images.shape
    draws = to_uniform(raw("repeated", seed, start, len(images), 1 + images[0].size))
    gain = 1 - GAIN * draws[:, :1]
    changed = images.reshape(len(images), -1) * gain + AMPLITUDE * (2 * draws[:, 1:] - 1)
    return np.clip(changed, 0, 1).astype(np.float32).reshape(shape)
