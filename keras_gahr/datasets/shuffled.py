"""Shuffled images: one fixed permutation of the pixels of every image (arXiv 2310.02557, appendix).

The images carry the same information, but nothing about them is local or regular any more. Bases
follow: the best basis for a shuffled image is the shuffled best basis for the image.
"""

from os import PathLike

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole
from keras_gahr.progress import OnProgress

from .draws import raw
from .generated import BLOCK_BYTES, check_sequence
from .store import Dataset, load, load_source
from .writer import writing


def permutation(height: int, width: int, seed: int) -> np.ndarray:
    """A random order of the pixels of an image: int64 (height * width,).

    The pixels are counted row by row. It depends on the arguments alone, whatever NumPy's version.

    Raises:
        InputError: if a side or the seed is out of range.

    Examples:
        >>> from keras_gahr.datasets import permutation
        >>> permutation(2, 3, seed=0)
        array([5, 4, 3, 0, 2, 1])
    """
    _, seed, *_ = check_sequence(1, seed)
    height, width = (check_whole(side, "a side", 1) for side in (height, width))
    return np.argsort(raw("shuffled", seed, 0, 1, height * width)[0], kind="stable")


def shuffle(images: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Moves pixel order[k] to place k; channels stay together.

    Args:
        images: (..., H, W, C); bases too.
        order: a permutation of H * W pixels.

    Returns:
        An array like the images.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import permutation, shuffle
        >>> image = np.arange(6).reshape(2, 3, 1)
        >>> shuffle(image, permutation(2, 3, seed=0))[..., 0]
        array([[5, 4, 3],
               [0, 2, 1]])
    """
    images, order = np.asarray(images), np.asarray(order)
    if images.ndim < 3 or order.shape != (images.shape[-3] * images.shape[-2],):
        raise InputError(
            f"received images of shape {images.shape} and an order of {order.shape}, expected (..., "
            "height, width, channels) and a permutation of height x width pixels"
        )
    pixels = images.reshape(*images.shape[:-3], -1, images.shape[-1])
    return np.take(pixels, order, axis=-2).reshape(images.shape)


def unshuffle(images: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The inverse of `shuffle`.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import permutation, shuffle, unshuffle
        >>> image, order = np.arange(6).reshape(2, 3, 1), permutation(2, 3, seed=0)
        >>> np.array_equal(unshuffle(shuffle(image, order), order), image)
        True
    """
    return shuffle(images, np.argsort(order))


def make_shuffled(
    source: str | PathLike,
    out: str | PathLike,
    seed: int | None = None,
    inverse: bool = False,
    overwrite: bool = False,
    progress: OnProgress = None,
    layout: str | None = None,
) -> Dataset:
    """Shuffles the pixels of a dataset, or puts them back, block by block.

    The manifest holds the permutation.

    Args:
        source: a dataset folder, or an array of images in a `.npy` or `.npz` file.
        out: the dataset folder to make.
        seed: integer in [0, 2^64) for the permutation, by default 0; for the inverse by default
            the permutation is the one in the manifest of `source`.
        inverse: put pixels back that were shuffled.
        overwrite: replace an older dataset.
        progress: called as progress(images done, images in all).
        layout: of an array, such as "NCHW"; by default see `find_layout`.

    Returns:
        The Dataset.

    Raises:
        InputError: if the source cannot be read or, for the inverse without a seed, was not
            shuffled; if the seed is out of range, or if `out` exists or is the source.

    Examples:
        >>> import tempfile
        >>> from keras_gahr.datasets import make_disks, make_shuffled
        >>> folder = tempfile.TemporaryDirectory()
        >>> disks = make_disks(f"{folder.name}/disks", count=4, size=16, seed=0)
        >>> shuffled = make_shuffled(f"{folder.name}/disks", f"{folder.name}/shuffled", seed=0)
        >>> shuffled.images.shape
        (4, 16, 16, 1)
    """
    dataset = load_source(source, out, layout)
    _, height, width, _ = dataset.images.shape
    if inverse and seed is None:
        order = _order_of(dataset, source)
    else:
        seed = seed or 0
        order = permutation(height, width, seed)
    dtype = "uint8" if dataset.images.dtype == np.uint8 else "float32"
    parameters = {
        "source": dataset.describe_source(source),
        "seed": seed,
        "inverse": inverse,
        "permutation": order.tolist(),
    }
    move = unshuffle if inverse else shuffle
    rows = max(1, BLOCK_BYTES // (4 * dataset.images[0].size))
    with writing(out, "shuffled", parameters, dataset.images.shape[1:], dtype, overwrite) as writer:
        writer.sources += dataset.manifest.get("sources", [])
        for start in range(0, len(dataset), rows):
            index = slice(start, start + rows)
            block = dataset.images[index] if dtype == "uint8" else dataset.as_float(index)
            writer.append(move(block, order))
            if progress:
                progress(start + len(block), len(dataset))
    return load(out, verify=False)


def _order_of(dataset, source):
    """The permutation in the manifest of a shuffled dataset."""
    parameters = dataset.manifest["parameters"]
    order = parameters.get("permutation")
    if order is None or parameters.get("inverse"):
        raise InputError(
            f"{source} is not a shuffled dataset, so its permutation is unknown: give the --seed "
            "it was shuffled with"
        )
    _, height, width, _ = dataset.images.shape
    try:
        order = np.asarray(order)
    except ValueError:  # Lists of several lengths.
        order = np.empty(0)
    if order.dtype.kind != "i" or not np.array_equal(np.sort(order), np.arange(height * width)):
        raise InputError(
            f"the permutation in the manifest of {source} is not one of {height * width} pixels: "
            "give the --seed it was shuffled with"
        )
    return order
