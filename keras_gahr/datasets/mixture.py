"""Mixtures of Gaussians with random subspaces: images whose best denoiser is known.

In units of their own, images of class k are

    x = m_k + U_k a + sqrt(floor) (I - U_k U_k^T) b,

with a and b standard normal, U_k the first directions of a uniformly random orthogonal matrix, and the
means m_k of independent normal values with deviation `spread`. The image is 1/2 + s x. The scale s is the
largest for which every pixel of every class stays in [0, 1] up to 6 standard deviations. So a value is
cut off at 0 or 1 with a probability of less than 2e-9, and for all that can be measured the law is exact.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import numbers
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.noise import check_number, check_seed, check_whole
from keras_gahr.progress import OnProgress

from .draws import raw, to_normal, to_uniform
from .gaussians import MixtureOfGaussians
from .generated import check_sequence, make_generated
from .store import Dataset

REACH = 6
"""Standard deviations of every pixel that are inside [0, 1]."""

MOLRG = {"size": 4, "channels": 3, "classes": 2, "rank": 7, "balanced": True}
"""The mixture of low-rank Gaussians of Zhang et al. (arXiv 2310.05264) and Wang et al. (2409.02426).

Two classes of dimension 7 in 48 = 4 x 4 x 3, as many images of each, with means of 0, variance 1 along
seven directions and none elsewhere; the subspaces are orthogonal to each other. They train on 350 images
of each class, 700 in all.
"""

_MOST_VALUES = 2**27
"""Of all bases together: 1 GiB."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixtureRecipe:
    """What a mixture is made from.

    Attributes:
        size: height and width, or (height, width), in pixels.
        channels: of the images.
        classes: number of Gaussians, K.
        rank: directions of each class: one number, or one for each class.
        weights: probabilities of the classes, by default equal.
        spread: standard deviation of the values of the means; 1 is that along a direction of a class.
        floor: variance in all other directions of a class; above 0 covariances are of full rank.
        overlapping: draw the subspaces of classes independently; otherwise all directions are
            orthogonal to each other.
        balanced: image i is of class i mod K, so that classes are equally frequent.
        law_seed: of subspaces and means.

    Raises:
        InputError: if one of them is something else.
    """

    size: Any = 16
    channels: int = 1
    classes: int = 2
    rank: Any = 7
    weights: Any = None
    spread: float = 0.0
    floor: float = 0.0
    overlapping: bool = False
    balanced: bool = False
    law_seed: int = 0

    def __post_init__(self) -> None:
        sides = _several(self.size, 2, "the size")
        checked = {
            "size": [check_whole(side, "size", 1) for side in sides],
            "channels": check_whole(self.channels, "channels", 1),
            "classes": check_whole(self.classes, "classes", 1),
            "law_seed": check_seed(self.law_seed),
        }
        classes, values = checked["classes"], math.prod(checked["size"]) * checked["channels"]
        if classes > _MOST_VALUES or values * classes > _MOST_VALUES:
            raise InputError(f"received {classes} classes of {values} values: choose fewer")
        ranks = _several(self.rank, classes, "the rank")
        checked["rank"] = [check_whole(rank, "rank", 0, values) for rank in ranks]
        if values * classes * max(checked["rank"]) > _MOST_VALUES:
            raise InputError(
                f"received {classes} classes of rank {max(checked['rank'])} in {values} dimensions: more "
                "than a gigabyte of directions; choose a smaller rank"
            )
        if not self.overlapping and sum(checked["rank"]) > values:
            raise InputError(
                f"received ranks of {sum(checked['rank'])} in all, more than the {values} dimensions: "
                "choose smaller ones, or let the classes overlap"
            )
        weights = _several(1 if self.weights is None else self.weights, classes, "weights")
        checked["weights"] = [check_number(weight, "weight") for weight in weights]
        if min(checked["weights"]) <= 0:
            raise InputError(f"received weights {checked['weights']}, expected numbers above 0")
        if self.balanced and len(set(checked["weights"])) > 1:
            raise InputError("received weights that differ for balanced classes: leave one out")
        for name in ("spread", "floor"):
            checked[name] = check_number(getattr(self, name), name)
            if not 0 <= checked[name] <= 1000:
                raise InputError(f"{name} is {checked[name]}: expected a number from 0 to 1000")
        for name in ("overlapping", "balanced"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} is {getattr(self, name)!r:.80}: expected true or false")
        if not (checked["spread"] or checked["floor"] or any(checked["rank"])):
            raise InputError("rank, spread and floor are 0: all images would be grey")
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (*self.size, self.channels)

    def law(self) -> tuple[MixtureOfGaussians, float]:
        """The law of the images, and the scale s of the unit of `spread` and `floor`."""
        size, most = math.prod(self.image_shape), max(1, *self.rank)
        # How far apart the numbers of one draw begin from those of the next: as far as the longest.
        together = most if self.overlapping else sum(self.rank)
        apart = size * max(together, self.classes if self.spread else 0)
        bases = np.zeros((self.classes, size, most))
        if self.overlapping:
            for k, rank in enumerate(self.rank):
                bases[k, :, :rank] = self._directions(k + 1, rank, apart)
        else:
            directions = self._directions(1, sum(self.rank), apart)
            ends = itertools.accumulate(self.rank)
            for basis, rank, end in zip(bases, self.rank, ends, strict=True):
                basis[:, :rank] = directions[:, end - rank : end]
        means = self.spread * to_normal(raw("mixlaw", self.law_seed, 0, 1, self.classes * size)[0])
        means = means.reshape(self.classes, size)
        inside = np.sum(bases**2, axis=2)
        deviations = np.sqrt(inside + self.floor * np.maximum(1 - inside, 0))
        scale = 0.5 / np.max(np.abs(means) + REACH * deviations)
        filled = np.arange(most) < np.array(self.rank)[:, None]
        law = MixtureOfGaussians(
            self.weights,
            (0.5 + scale * means).reshape(-1, *self.image_shape),
            bases,
            scale**2 * filled,
            scale**2 * self.floor,
        )
        return law, float(scale)

    def _directions(self, index, rank, apart):
        """Columns of a uniformly random orthogonal matrix, (d, rank)."""
        size = math.prod(self.image_shape)
        integers = raw("mixlaw", self.law_seed, index, 1, apart)[0, : size * rank]
        normals = to_normal(integers).reshape(rank, size).T
        basis, triangle = np.linalg.qr(normals)
        return basis * np.sign(np.diagonal(triangle))


def mixture_law(**options: Any) -> MixtureOfGaussians:
    """The law of a mixture with random subspaces.

    Class k varies along `rank` random directions, with deviation 1 in a unit of the mixture's own, and
    around a mean of its own. The unit is chosen so that every pixel stays in [0, 1] up to 6 standard
    deviations; the mean of all means is near 1/2.

    Args:
        **options: by name, or `**MOLRG` for the published mixture:

            - size: height and width, or (height, width), in pixels; by default 16.
            - channels: of the images; by default 1.
            - classes: number of Gaussians, K; by default 2.
            - rank: directions of each class: one number, or one for each class; by default 7.
            - weights: probabilities of the classes; by default equal.
            - spread: deviation of the values of the means, in that unit; by default 0.
            - floor: variance in all other directions, in that unit squared; by default 0. Above it
              covariances are of full rank.
            - overlapping: draw the directions of classes independently; by default all are orthogonal
              to each other.
            - balanced: image i is of class i mod K; by default classes are drawn by chance.
            - law_seed: of directions and means; by default 0.

    Raises:
        InputError: if one is out of range.

    Examples:
        >>> from keras_gahr.datasets import mixture_law
        >>> law = mixture_law(size=8, classes=3, rank=5, spread=0.5)
        >>> law.image_shape, law.ranks
        ((8, 8, 1), [5, 5, 5])
    """
    return MixtureRecipe(**options).law()[0]


def mixture_images(count: int, seed: int, start: int = 0, **options: Any) -> np.ndarray:
    """Images number start, ..., start + count - 1 of the sequence that the seed defines.

    Image i depends on (seed, i) and the law alone.

    Args:
        count: number of images.
        seed: integer in [0, 2^64), of the images; `law_seed` is that of the law.
        start: index of the first image.
        **options: see `mixture_law`.

    Returns:
        float32 (count, H, W, C) in [0, 1].

    Raises:
        InputError: if an argument is out of range.

    Examples:
        >>> from keras_gahr.datasets import MOLRG, mixture_images
        >>> mixture_images(count=4, seed=0, **MOLRG).shape
        (4, 4, 4, 3)
    """
    count, seed, start, _ = check_sequence(count, seed, start)
    recipe = MixtureRecipe(**options)
    return _draw(recipe, recipe.law()[0], count, seed, start)


def make_mixture(
    out: str | PathLike,
    count: int,
    seed: int,
    overwrite: bool = False,
    progress: OnProgress = None,
    **options: Any,
) -> Dataset:
    """Makes a dataset of a mixture: `mixture_images(...)`, float32, block by block.

    The manifest has all that the law is made from, for `law_of`.

    Args:
        out: the dataset folder to make.
        count, seed: as for `mixture_images`.
        overwrite: replace an older dataset.
        progress: called as progress(images done, images in all).
        **options: see `mixture_law`.

    Returns:
        The Dataset.

    Raises:
        InputError: if an argument is out of range, or `out` exists.

    Examples:
        >>> import tempfile
        >>> from keras_gahr.datasets import MOLRG, make_mixture
        >>> folder = tempfile.TemporaryDirectory()
        >>> dataset = make_mixture(f"{folder.name}/molrg", count=700, seed=0, **MOLRG)
        >>> dataset.manifest["parameters"]["rank"]
        [7, 7]
    """
    count, seed, *_ = check_sequence(count, seed)
    recipe = MixtureRecipe(**options)
    law, scale = recipe.law()
    return make_generated(
        out,
        "mixture",
        {"count": count, "seed": seed, **dataclasses.asdict(recipe), "scale": scale},
        recipe.image_shape,
        lambda number, start: _draw(recipe, law, number, seed, start),
        overwrite,
        progress,
    )


def law_of(dataset: Dataset) -> MixtureOfGaussians:
    """The law that the images of a dataset are drawn from, by its manifest.

    Args:
        dataset: one of `make_mixture`, or a part of it.

    Raises:
        InputError: if its images are of something else.

    Examples:
        >>> import tempfile
        >>> from keras_gahr.datasets import MOLRG, law_of, make_mixture
        >>> folder = tempfile.TemporaryDirectory()
        >>> dataset = make_mixture(f"{folder.name}/molrg", count=4, seed=0, **MOLRG)
        >>> law_of(dataset).image_shape
        (4, 4, 3)
    """
    recipe, parameters = dataset.manifest["recipe"], dataset.manifest["parameters"]
    if recipe != "mixture":
        raise InputError(
            f"the dataset is made by the recipe {recipe!r:.40}, expected mixture, whose law is known: "
            "make one by `gahr data mixture`"
        )
    names = [field.name for field in dataclasses.fields(MixtureRecipe)]
    missing = [name for name in (*names, "scale") if name not in parameters]
    if missing:
        raise InputError(f"its manifest says no {missing[0]}: make the dataset again")
    made = MixtureRecipe(**{name: parameters[name] for name in names})
    if made.image_shape != dataset.images.shape[1:]:
        raise InputError(
            f"its images have shape {dataset.images.shape[1:]}, but its manifest says "
            f"{made.image_shape}: make the dataset again"
        )
    law, scale = made.law()
    said = parameters["scale"]
    if not isinstance(said, numbers.Real) or not math.isclose(said, scale, rel_tol=1e-9):
        raise InputError(
            f"its manifest says scale {said!r:.40}, but its law has {scale}: make the dataset again"
        )
    return law


def _draw(recipe, law, count, seed, start):
    rank, size = law.bases.shape[2], law.bases.shape[1]
    extra = size if recipe.floor else 0
    integers = raw("mixture", seed, start, count, 1 + rank + extra)
    if recipe.balanced:
        classes = np.arange(start, start + count) % recipe.classes
    else:
        ends = np.cumsum(law.weights)[:-1]
        classes = np.searchsorted(ends, to_uniform(integers[:, 0]), side="right")
    normals = to_normal(integers[:, 1:])
    images = law.draw(classes, normals[:, :rank], normals[:, rank:] if extra else None)
    return np.clip(images, 0, 1).astype(np.float32)


def _several(value, count, name):
    """A value for each of so many."""
    if isinstance(value, numbers.Number):
        return [value] * count
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != count:
        raise InputError(f"received {name} {value!r:.80}, expected one number, or {count}")
    return list(value)
