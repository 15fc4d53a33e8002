"""Disks: a 5-dimensional family of images (arXiv 2310.02557, section 3.2).

An image has one disk of constant intensity on a constant background. Its parameters are the disk's
centre (two), its radius and the two intensities. A pixel's value is the exact average over its
square, so an image is a smooth function of the parameters: what supersampling tends to.
"""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole
from keras_gahr.progress import OnProgress

from .disk_geometry import coverage, coverage_gradient, wrapped
from .draws import uniform
from .generated import check_sequence, columns, make_generated, orthonormal
from .store import Dataset

PARAMETERS = ("x", "y", "radius", "foreground", "background")

RADII = (0.1, 0.3)

# So few images at once stay in the processor's cache, which halves the time.
CHUNK = 16


def disk_parameters(
    count: int,
    size: int,
    seed: int,
    start: int = 0,
    radii: Sequence[float] = RADII,
    wrap: bool = False,
    centre: Sequence[float] | None = None,
    foreground: float | None = None,
    background: float | None = None,
) -> np.ndarray:
    """The parameters of the disks number start, ..., start + count - 1 of the seed's sequence.

    Row i depends on (seed, i) alone. With all draws uniform and independent: radius r in
    radii * size; both coordinates of the centre in [r, size - r], so the disk lies inside the
    image [0, size]^2, or anywhere in the image if it wraps around; foreground and background in
    [0, 1]. A parameter that is given is the same for all images, and leaves the others alone.

    Args:
        count: number of images.
        size: height and width in pixels, at least 2.
        seed: integer in [0, 2^64).
        start: index of the first image.
        radii: smallest and largest radius, as fractions of the size, 0 < smallest <= largest <= .5.
        wrap: whether a disk that leaves the image on one side comes in on the other.
        centre: None, or (x, y) from the left and the top as fractions of the size.
        foreground, background: None, or an intensity in [0, 1].

    Returns:
        A float64 array (count, 5) of x, y, radius in pixels, foreground, background.

    Raises:
        InputError: if an argument is out of range.

    Examples:
        >>> from keras_gahr.datasets import disk_parameters
        >>> disk_parameters(1, size=16, seed=0).round(2).tolist()
        [[8.63, 6.7, 4.37, 0.35, 0.92]]
    """
    count, seed, start, size = check_sequence(count, seed, start, size)
    _check(radii, wrap, centre, foreground, background)
    radius, across, down, *intensities = uniform("disks", seed, start, count, 5).T
    radius = size * (radii[0] + (radii[1] - radii[0]) * radius)
    if centre is not None:
        x, y = (np.full(count, size * float(fraction)) for fraction in centre)
    elif wrap:
        x, y = size * across, size * down
    else:
        x = radius + (size - 2 * radius) * across
        y = radius + (size - 2 * radius) * down
    for k, fixed in enumerate((foreground, background)):
        if fixed is not None:
            intensities[k] = np.full(count, float(fixed))
    return np.stack([x, y, radius, *intensities], axis=1)


def draw_disks(parameters: np.ndarray, size: int, wrap: bool = False) -> np.ndarray:
    """Images of disks.

    Args:
        parameters: (N, 5), see `disk_parameters`.
        size: height and width in pixels.
        wrap: whether a disk that leaves the image on one side comes in on the other.

    Returns:
        float32 (N, size, size, 1) in [0, 1].

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import draw_disks
        >>> parameters = np.array([[4, 4, 2, 1, 0]])  # x, y, radius, foreground, background
        >>> draw_disks(parameters, size=8)[0, 4, :, 0].round(2)
        array([0.  , 0.  , 0.91, 1.  , 1.  , 0.91, 0.  , 0.  ], dtype=float32)
    """
    size = check_whole(size, "size", 1)
    images = np.empty((len(parameters), size, size, 1), np.float32)
    for first in range(0, len(parameters), CHUNK):
        chunk = slice(first, first + CHUNK)
        x, y, radius, foreground, background = columns(parameters[chunk])
        disks = _evaluate(coverage, wrap, size, x, y, radius)
        disks *= foreground - background
        disks += background
        np.clip(disks, 0, 1, out=images[chunk, ..., 0], casting="same_kind")
    return images


def disk_images(
    count: int, size: int, seed: int, start: int = 0, radii: Sequence[float] = RADII, **options: Any
) -> np.ndarray:
    """Disks number start, ..., start + count - 1 of the sequence that the seed defines.

    Args:
        count, size, seed, start, radii, options: as for `disk_parameters`.

    Returns:
        float32 (count, size, size, 1) in [0, 1].

    Raises:
        InputError: if an argument is out of range.

    Examples:
        >>> from keras_gahr.datasets import disk_images
        >>> disk_images(count=4, size=16, seed=0).shape
        (4, 16, 16, 1)
    """
    parameters = disk_parameters(count, size, seed, start, radii, **options)
    return draw_disks(parameters, size, options.get("wrap", False))


def disk_tangent(
    parameters: ArrayLike, size: int, wrap: bool = False, varying: Sequence[str] = PARAMETERS
) -> np.ndarray:
    """The tangent space of the family at some of its images: an orthonormal basis for each.

    It is spanned by the derivatives of the image in the parameters that vary, exact up to
    rounding. Those in x, y and radius are taken for unit contrast, so that they are also right in
    the limit of equal foreground and background.

    Args:
        parameters: (N, 5), see `disk_parameters`.
        size, wrap: as for `draw_disks`.
        varying: names of the k parameters that vary, from `PARAMETERS`.

    Returns:
        float64 (N, k, size, size, 1).

    Raises:
        InputError: for another name.

    Examples:
        >>> from keras_gahr.datasets import disk_parameters, disk_tangent
        >>> parameters = disk_parameters(2, size=16, seed=0)
        >>> disk_tangent(parameters, size=16).shape
        (2, 5, 16, 16, 1)
        >>> disk_tangent(parameters, size=16, varying=["x", "y"]).shape
        (2, 2, 16, 16, 1)
    """
    unknown = [name for name in varying if name not in PARAMETERS]
    if unknown or not varying:
        raise InputError(
            f"the varying parameters are {', '.join(varying) or 'none'}: expected some of "
            f"{', '.join(PARAMETERS)}"
        )
    x, y, radius, _, _ = columns(parameters)
    covered = _evaluate(coverage, wrap, size, x, y, radius)
    edges = _evaluate(coverage_gradient, wrap, size, x, y, radius)
    derivatives = np.concatenate([edges, np.stack([covered, 1 - covered], axis=1)], axis=1)
    return orthonormal(derivatives[:, [PARAMETERS.index(name) for name in varying], ..., None])


def make_disks(
    out: str | PathLike,
    count: int,
    size: int,
    seed: int,
    radii: Sequence[float] = RADII,
    overwrite: bool = False,
    progress: OnProgress = None,
    **options: Any,
) -> Dataset:
    """Makes a dataset of disks: `disk_images(count, size, seed)`, float32, block by block.

    Args:
        out: the dataset folder to make.
        count, size, seed, radii, options: as for `disk_parameters`.
        overwrite: replace an older dataset.
        progress: called as progress(images done, images in all).

    Returns:
        The Dataset.

    Raises:
        InputError: if an argument is out of range, or `out` exists.

    Examples:
        >>> import tempfile
        >>> from keras_gahr.datasets import make_disks
        >>> folder = tempfile.TemporaryDirectory()
        >>> disks = make_disks(f"{folder.name}/disks", count=4, size=16, seed=0)
        >>> disks.images.shape
        (4, 16, 16, 1)
    """
    count, seed, *_ = check_sequence(count, seed)
    disk_parameters(1, size, seed, radii=radii, **options)
    return make_generated(
        out,
        "disks",
        {"count": count, "size": size, "seed": seed, "radii": list(radii), **options},
        (size, size, 1),
        lambda number, start: disk_images(number, size, seed, start, radii, **options),
        overwrite,
        progress,
    )


def _evaluate(quantity, wrap, size, x, y, radius):
    return wrapped(quantity, size, x, y, radius) if wrap else quantity(size, x, y, radius)


def _check(radii, wrap, centre, foreground, background):
    if not 0 < radii[0] <= radii[1] <= 0.5:
        raise InputError(
            f"the radii are {radii[0]} to {radii[1]} of the size: expected 0 < smallest <= largest "
            "<= 0.5"
        )
    for name, value in (("foreground", foreground), ("background", background)):
        if value is not None and not 0 <= value <= 1:
            raise InputError(f"the {name} is {value}: expected an intensity from 0 to 1")
    if centre is None:
        return
    margin = 0 if wrap else radii[1]
    if not all(margin <= fraction <= 1 - margin for fraction in centre):
        raise InputError(
            f"the centre is at {centre[0]}, {centre[1]} of the size: expected from {margin} to "
            f"{1 - margin}" + ("" if wrap else ", so that the disk lies inside; or let it wrap")
        )
