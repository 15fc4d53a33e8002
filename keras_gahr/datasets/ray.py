"""A ray: one image times a random intensity, a 1-dimensional family (arXiv 2310.02557, appendix).

The best denoiser projects on the image; a denoiser that finds more than one direction to keep shows
what it does by itself.
"""

import hashlib
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.errors import InputError
from keras_gahr.progress import OnProgress

from .arrays import NEARLY_CLEAN
from .draws import uniform
from .generated import check_sequence, make_generated
from .image_files import read_image
from .stacks import as_one, as_one_exact
from .store import Dataset, load


def ray_parameters(count: int, seed: int, start: int = 0) -> np.ndarray:
    """Intensities, uniform and independent on [0, 1): float64 (count, 1).

    Row i depends on (seed, i) alone.

    Raises:
        InputError: if an argument is out of range.

    Examples:
        >>> from keras_gahr.datasets import ray_parameters
        >>> ray_parameters(2, seed=0).round(3).tolist()
        [[0.849], [0.722]]
    """
    count, seed, start, _ = check_sequence(count, seed, start)
    return uniform("ray", seed, start, count, 1)


def draw_rays(parameters: ArrayLike, image: ArrayLike) -> np.ndarray:
    """The image (H, W, C) times each of N intensities: float32 (N, H, W, C).

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import draw_rays
        >>> draw_rays([[0.5], [1]], np.ones((2, 2, 1)))[:, 0, 0, 0].tolist()
        [0.5, 1.0]
    """
    return np.asarray(parameters, np.float32)[..., None, None] * as_one(image, None, NEARLY_CLEAN)


def ray_images(count: int, image: ArrayLike, seed: int, start: int = 0) -> np.ndarray:
    """Multiples number start, ..., start + count - 1 of an image: float32 (count, H, W, C).

    Raises:
        InputError: if an argument is out of range.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import ray_images
        >>> ray_images(2, np.ones((8, 8, 1)), seed=0)[:, 0, 0, 0].round(3)
        array([0.849, 0.722], dtype=float32)
    """
    return draw_rays(ray_parameters(count, seed, start), image)


def ray_tangent(image: ArrayLike) -> np.ndarray:
    """The tangent space, the same at every point: the image with norm 1, float64 (1, 1, H, W, C).

    Raises:
        InputError: if the image is zero.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.datasets import ray_tangent
        >>> ray_tangent(np.ones((2, 2, 1)))[0, 0, ..., 0].tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    image = as_one_exact(image)
    norm = np.linalg.norm(image)
    if norm == 0:
        raise InputError("the image is black everywhere: expected one with a direction")
    return (image / norm)[None, None]


def make_ray(
    source: str | PathLike,
    out: str | PathLike,
    count: int,
    seed: int,
    channels: int | None = None,
    overwrite: bool = False,
    progress: OnProgress = None,
    layout: str | None = None,
) -> Dataset:
    """Makes a dataset of multiples of one image, float32, block by block.

    Args:
        source: a picture, a `.npy` array, or a dataset folder, whose first image is taken.
        out: the dataset folder to make.
        count: number of images.
        seed: integer in [0, 2^64).
        channels: of a picture: 1 for grey, 3 for colour, None for what the file has.
        overwrite: replace an older dataset.
        progress: called as progress(images done, images in all).
        layout: of an array, such as "CHW"; by default see `find_layout`.

    Returns:
        The Dataset.

    Raises:
        InputError: if the source is not an image or is black, an argument is out of range, or `out`
            exists.

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import make_ray
        >>> folder = tempfile.TemporaryDirectory()
        >>> np.save(f"{folder.name}/image.npy", np.ones((8, 8)))
        >>> ray = make_ray(f"{folder.name}/image.npy", f"{folder.name}/ray", count=4, seed=0)
        >>> ray.images.shape
        (4, 8, 8, 1)
    """
    count, seed, *_ = check_sequence(count, seed)
    source = Path(source)
    if source.is_dir():
        dataset = load(source)
        image, facts = dataset.as_float(0), {"source": dataset.describe_source(source)}
    else:
        image = read_image(source, channels, layout)
        sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
        facts = {"image": source.name, "image_sha256": sha256}
    ray_tangent(image)
    return make_generated(
        out,
        "ray",
        {"count": count, "seed": seed, **facts},
        image.shape,
        lambda number, start: ray_images(number, image, seed, start),
        overwrite,
        progress,
    )
