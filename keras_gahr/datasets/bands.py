"""Wavelet bands of images: what the networks of a multi-scale denoiser are trained on.

The bands are those of `keras_gahr.denoisers.haar`, computed by NumPy: with a, b in the upper row of a
2x2 block and c, d in the lower one, low = (a + b + c + d) / 4, horizontal = (a + b - c - d) / 4,
vertical = (a - b + c - d) / 4, diagonal = (a - b - c + d) / 4.
"""

from os import PathLike

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.progress import OnProgress

from .arrays import NEARLY_CLEAN, to_float
from .generated import BLOCK_BYTES
from .stacks import as_stack
from .store import Dataset, load, load_source
from .writer import writing

RANGE = (-0.5, 1.0)
"""What the bands of images on [0, 1] stay within: the low band on [0, 1], details on [-1/2, 1/2]."""


def band_arrays(images: np.ndarray, scale: int = 0, low: bool = False) -> np.ndarray:
    """The low band of one scale and its three details, side by side in the last axis.

    Args:
        images: float32 `(count, height, width, channels)`, height and width multiples of
            2^(scale + 1).
        scale: 0 for the finest, whose bands have half the height and width.
        low: the low band alone, which is the mean over blocks of 2^(scale + 1) pixels.

    Returns:
        float32 `(count, height / 2^(scale + 1), width / 2^(scale + 1), 4 channels)`: low,
        horizontal, vertical, diagonal, each of all channels; or the low band, with `channels`.

    Raises:
        InputError: for sides that do not divide, or a negative scale.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import band_arrays
        >>> images = np.full((1, 8, 8, 1), 0.5, np.float32)
        >>> band_arrays(images)[0, 0, 0].tolist()
        [0.5, 0.0, 0.0, 0.0]
    """
    images = as_stack(images, limits=NEARLY_CLEAN)
    images = to_float(images, None) if images.dtype in (np.uint8, bool) else images
    _check_sides(images.shape[1:3], scale)
    for _ in range(scale):
        images = _analyze(images)[0]
    bands = _analyze(images)
    return bands[0] if low else np.concatenate(bands, axis=-1)


def band_pictures(bands: np.ndarray) -> np.ndarray:
    """Bands as pictures: low and horizontal above vertical and diagonal, with grey for no detail.

    Args:
        bands: `(count, height, width, 4 channels)` as from `band_arrays`.

    Returns:
        float32 `(count, 2 height, 2 width, channels)` on [0, 1].

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import band_arrays, band_pictures
        >>> images = np.full((1, 8, 8, 1), 0.25, np.float32)
        >>> band_pictures(band_arrays(images))[0, ::4, ::4, 0].tolist()
        [[0.25, 0.5], [0.5, 0.5]]
    """
    low, *details = np.split(bands, 4, axis=-1)
    horizontal, vertical, diagonal = (detail + np.float32(0.5) for detail in details)
    upper = np.concatenate([low, horizontal], axis=2)
    lower = np.concatenate([vertical, diagonal], axis=2)
    return np.clip(np.concatenate([upper, lower], axis=1), 0, 1)


def make_bands(
    source: str | PathLike,
    out: str | PathLike,
    scale: int = 0,
    low: bool = False,
    overwrite: bool = False,
    progress: OnProgress = None,
    layout: str | None = None,
) -> Dataset:
    """Makes the dataset of the bands of another's images, in the same order.

    A multi-scale denoiser of S scales needs the low band at scale S - 1 and, for each scale from 0 to
    S - 1, all four bands.

    Args:
        source: a dataset folder, or an array of images in a `.npy` or `.npz` file.
        out: the dataset folder to make, float32. All four bands are not on [0, 1], which the manifest
            says by `value_range`: `load` refuses them unless it is told to expect bands.
        scale, low: see `band_arrays`.
        overwrite: replace an older dataset.
        progress: called as progress(images done, images in all).
        layout: of an array, such as "NCHW"; by default see `find_layout`.

    Returns:
        The Dataset.

    Raises:
        InputError: if the source cannot be read, if its images do not divide, or if `out` exists or
            is the source.

    Examples:
        >>> import tempfile
        >>> from keras_gahr.datasets import make_bands, make_disks
        >>> folder = tempfile.TemporaryDirectory()
        >>> disks = make_disks(f"{folder.name}/disks", count=4, size=16, seed=0)
        >>> bands = make_bands(f"{folder.name}/disks", f"{folder.name}/bands")
        >>> bands.images.shape, bands.value_range
        ((4, 8, 8, 4), (-0.5, 1.0))
    """
    dataset = load_source(source, out, layout)
    _, *sides, channels = dataset.images.shape
    _check_sides(sides, scale)
    shape = (*(side >> (scale + 1) for side in sides), channels if low else 4 * channels)
    parameters = {
        "source": dataset.describe_source(source),
        "scale": scale,
        "low": low,
    }
    rows = max(1, BLOCK_BYTES // (4 * dataset.images[0].size))
    with writing(out, "bands", parameters, shape, "float32", overwrite) as writer:
        writer.sources += dataset.manifest.get("sources", [])
        if not low:
            writer.extra["value_range"] = list(RANGE)
        for start in range(0, len(dataset), rows):
            block = band_arrays(dataset.as_float(slice(start, start + rows)), scale, low)
            writer.append(block)
            if progress:
                progress(start + len(block), len(dataset))
    return load(out, verify=False, bands=True)


def _analyze(images):
    a, b = images[:, 0::2, 0::2], images[:, 0::2, 1::2]
    c, d = images[:, 1::2, 0::2], images[:, 1::2, 1::2]
    quarter = np.float32(0.25)
    signed = (a + b + c + d, a + b - c - d, a - b + c - d, a - b - c + d)
    return [quarter * band for band in signed]


def _check_sides(sides, scale):
    # Longer sides than 2^30 do not exist; the check keeps the power of two small.
    if not 0 <= scale < 30 or any(side % 2 ** (scale + 1) for side in sides):
        height, width = sides
        raise InputError(
            f"received images of {height}x{width} and scale {scale}, expected a scale of at least 0 "
            "and sides that are multiples of 2^(scale + 1): choose a smaller scale, or crop the images"
        )
