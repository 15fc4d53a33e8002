"""Sines: plane waves of one period, a 2-dimensional family (arXiv 2310.02557, appendix).

With phase p and intensity a, the pixel in row i and column j of an n x n image is

    a (1 + sin(2 pi (i + j) / n + p)) / 2,

in [0, 1] and proportional to a, as suits a denoiser without additive constants.
"""

from os import PathLike

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.noise import check_whole
from keras_gahr.progress import OnProgress

from .draws import uniform
from .generated import check_sequence, columns, make_generated, orthonormal
from .store import Dataset

PARAMETERS = ("phase", "intensity")


def sine_parameters(count: int, size: int, seed: int, start: int = 0) -> np.ndarray:
    """Phases, uniform on [0, 2 pi), and intensities, uniform on [0, 1): float64 (count, 2).

    Row i depends on (seed, i) alone.

    Raises:
        InputError: if an argument is out of range.

    Examples:
        >>> from keras_gahr.datasets import sine_parameters
        >>> sine_parameters(2, size=16, seed=0).round(3).tolist()  # Phases and intensities.
        [[3.733, 0.351], [2.581, 0.893]]
    """
    count, seed, start, size = check_sequence(count, seed, start, size)
    return uniform("sines", seed, start, count, 2) * [2 * np.pi, 1]


def draw_sines(parameters: ArrayLike, size: int) -> np.ndarray:
    """Images of sines.

    Args:
        parameters: (N, 2), phases in radians and intensities in [0, 1].
        size: height and width in pixels.

    Returns:
        float32 (N, size, size, 1) in [0, 1].

    Examples:
        >>> from keras_gahr.datasets import draw_sines
        >>> draw_sines([[0, 1]], size=4)[0, 0, :, 0].round(3).tolist()
        [0.5, 1.0, 0.5, 0.0]
    """
    size = check_whole(size, "size", 1)
    _, intensity = columns(parameters)
    images = intensity * (1 + np.sin(_angles(parameters, size))) / 2
    return images[..., None].astype(np.float32)


def sine_images(count: int, size: int, seed: int, start: int = 0) -> np.ndarray:
    """Sines number start, ..., start + count - 1 of the sequence that the seed defines.

    Args:
        count: number of images.
        size: height and width in pixels, at least 2.
        seed: integer in [0, 2^64).
        start: index of the first image.

    Returns:
        float32 (count, size, size, 1) in [0, 1].

    Raises:
        InputError: if an argument is out of range.

    Examples:
        >>> from keras_gahr.datasets import sine_images
        >>> sine_images(count=4, size=16, seed=0).shape
        (4, 16, 16, 1)
    """
    return draw_sines(sine_parameters(count, size, seed, start), size)


def sine_tangent(parameters: ArrayLike, size: int) -> np.ndarray:
    """The tangent space of the family at some of its images: an orthonormal basis for each.

    The derivatives in phase and intensity, for unit intensity, are orthogonal to each other.

    Args:
        parameters: (N, 2), see `draw_sines`.
        size: height and width in pixels, at least 3.

    Returns:
        float64 (N, 2, size, size, 1).

    Examples:
        >>> from keras_gahr.datasets import sine_parameters, sine_tangent
        >>> sine_tangent(sine_parameters(3, size=16, seed=0), size=16).shape
        (3, 2, 16, 16, 1)
    """
    angles = _angles(parameters, size)
    return orthonormal(np.stack([np.cos(angles), 1 + np.sin(angles)], axis=1)[..., None])


def make_sines(
    out: str | PathLike,
    count: int,
    size: int,
    seed: int,
    overwrite: bool = False,
    progress: OnProgress = None,
) -> Dataset:
    """Makes a dataset of sines: `sine_images(count, size, seed)`, float32, block by block.

    Args:
        out: the dataset folder to make.
        count, size, seed: as for `sine_images`.
        overwrite: replace an older dataset.
        progress: called as progress(images done, images in all).

    Returns:
        The Dataset.

    Raises:
        InputError: if an argument is out of range, or `out` exists.

    Examples:
        >>> import tempfile
        >>> from keras_gahr.datasets import make_sines
        >>> folder = tempfile.TemporaryDirectory()
        >>> sines = make_sines(f"{folder.name}/sines", count=4, size=16, seed=0)
        >>> sines.images.shape
        (4, 16, 16, 1)
    """
    count, seed, _, size = check_sequence(count, seed, size=size)
    return make_generated(
        out,
        "sines",
        {"count": count, "size": size, "seed": seed},
        (size, size, 1),
        lambda number, start: sine_images(number, size, seed, start),
        overwrite,
        progress,
    )


def _angles(parameters, size):
    phase, _ = columns(parameters)
    at = 2 * np.pi / size * np.arange(size)
    return at[:, None] + at + phase
