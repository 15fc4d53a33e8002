"""Smaller images: means over blocks of pixels."""

from os import PathLike
from pathlib import Path

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.progress import OnProgress

from .generated import BLOCK_BYTES
from .store import Dataset, load
from .writer import writing


def block_means(images: np.ndarray, size: int) -> np.ndarray:
    """Images (N, H, W, C) averaged over square blocks to (N, size, size, C).

    Raises:
        InputError: if they are not square, or their side is no multiple of the size.
    """
    count, height, width, channels = images.shape
    if size < 1 or height != width or height % size:
        raise InputError(
            f"received images of {height}x{width} to reduce to {size}x{size}, expected square ones "
            "whose side is a multiple of that"
        )
    block = height // size
    return images.reshape(count, size, block, size, block, channels).mean(axis=(2, 4))


def make_resized(
    source: str | PathLike,
    out: str | PathLike,
    size: int,
    overwrite: bool = False,
    progress: OnProgress = None,
) -> Dataset:
    """Makes a dataset of another one's images, reduced by `block_means`; float32.

    Args:
        source: a dataset folder, or an array of images in a `.npy` or `.npz` file.
        out: the dataset folder to make.
        size: height and width in pixels.
        overwrite: replace an older dataset.
        progress: called as progress(images done, images in all).

    Returns:
        The Dataset.

    Raises:
        InputError: as `block_means`, if the source cannot be read, or if `out` exists.
    """
    dataset = load(source)
    block_means(np.empty((0, *dataset.images.shape[1:])), size)
    parameters = {"source": dataset.describe_source(source), "size": size}
    rows = max(1, BLOCK_BYTES // (4 * dataset.images[0].size))
    shape = (size, size, dataset.images.shape[-1])
    with writing(Path(out), "resized", parameters, shape, "float32", overwrite) as writer:
        writer.sources += dataset.manifest.get("sources", [])
        for start in range(0, len(dataset), rows):
            block = block_means(dataset.as_float(slice(start, start + rows)), size)
            writer.append(block)
            if progress:
                progress(start + len(block), len(dataset))
    return load(out, verify=False)
