"""Datasets on disk: a folder with `images.npy` and `manifest.json`.

`images.npy` holds the images, (N, H, W, C), uint8 or float32 in [0, 1]. `manifest.json` says how
they were made: the recipe with all its parameters, the package version, the source files in the
order of the images with their SHA-256, what was left out and why, and the shape, type and SHA-256
of the images (of their bytes in C order, without the `.npy` header). Only wavelet bands (`bands`)
leave [0, 1]: their manifest declares it by `value_range`, [lowest, highest].
"""

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.errors import InputError

from .arrays import blocks, read_array, take
from .image_arrays import array_of, check_images, open_array
from .manifest import read_manifest

# Hashing reads everything once: about a second for this many bytes.
VERIFIED_BYTES = 10**9


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images and where they came from.

    Attributes:
        images: (N, H, W, C), uint8, bool or floats in the value range; usually a read-only memory map.
        manifest: the content of `manifest.json`. A part of a dataset keeps the whole one's.

    Examples:
        >>> import tempfile
        >>> from keras_gahr.datasets import make_disks
        >>> folder = tempfile.TemporaryDirectory()
        >>> disks = make_disks(f"{folder.name}/disks", count=10, size=16, seed=0)
        >>> len(disks), disks.as_float([0, 1]).shape
        (10, (2, 16, 16, 1))
        >>> train, test = disks.split(train=8, test=2)
        >>> len(train), len(test)
        (8, 2)
        >>> disks.manifest["recipe"]
        'disks'
    """

    images: np.ndarray
    manifest: dict[str, Any]

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        # Neither pixels nor the manifest, which may name each of a million files.
        size = "x".join(map(str, self.images.shape[1:]))
        made = f", {self.manifest['recipe']!r:.60}" if "recipe" in self.manifest else ""
        return f"Dataset({len(self)} images of {size}, {self.images.dtype}{made})"

    @property
    def value_range(self) -> tuple[float, float]:
        """The least and the greatest value that the images may have: (0, 1) but for wavelet bands."""
        return tuple(self.manifest.get("value_range", (0, 1)))

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The manifest's entry for the file of each image; [] for images not made from files."""
        sources = self.manifest.get("sources", [])
        # A part of a dataset keeps the manifest of the whole, where its own images are not known.
        return sources if len(sources) == len(self) else []

    def describe_source(self, path: str | PathLike) -> dict[str, Any]:
        """What the manifest of a dataset made from this one, which is at the path, says of it."""
        return {
            "name": Path(path).resolve().name,
            "recipe": self.manifest["recipe"],
            "sha256": self.manifest.get("sha256"),
        }

    def as_float(self, index: Any = slice(None)) -> np.ndarray:
        """The images at `index` (whatever indexes an array) as float32, in memory.

        They are on [0, 1], or in the value range of wavelet bands.
        """
        return take(self.images, index, self.value_range)

    def subset(self, n: int, half: str | None = None) -> "Dataset":
        """The first n images as a Dataset; with a half, images that the other half never holds.

        Args:
            n: number of images.
            half: None or "A" for the first n, "B" for the last n.

        Raises:
            InputError: if there are fewer than n images, or fewer than 2n when a half is asked for.
        """
        last = half is not None and _is_last(half)
        limit = len(self) if half is None else len(self) // 2
        if not 1 <= n <= limit:
            where = "the dataset" if half is None else f"half {half}"
            raise InputError(f"{n} images of {where} asked for: expected 1 to {limit}")
        return self._end(n, last)

    def split(self, train: int, test: int, half: str = "A") -> tuple["Dataset", "Dataset"]:
        """Disjoint training and test images, from opposite ends.

        Args:
            train: number of training images: the first ones for half A, the last for half B.
            test: number of test images, from the other end.
            half: "A" or "B".

        Returns:
            Two Datasets, (training, test).

        Raises:
            InputError: if the two would overlap, or one would be empty.
        """
        last = _is_last(half)
        if train < 1 or test < 1 or train + test > len(self):
            raise InputError(
                f"{train} training and {test} test images asked for: expected at least one of "
                f"each, and no more than the dataset's {len(self)} together"
            )
        return self._end(train, last), self._end(test, not last)

    def split_as_trained(
        self, train_size: int | None = None, test_size: int | None = None, half: str = "A"
    ) -> tuple["Dataset", "Dataset"]:
        """Disjoint training and test images as `gahr train` takes them.

        Args:
            train_size: default: all but the test images.
            test_size: default: a tenth of all, at most 512.
            half: see `split`.

        Returns:
            Two Datasets, (training, test).

        Raises:
            InputError: see `split`.
        """
        if test_size is None:
            test_size = max(1, min(512, len(self) // 10))
        if train_size is None:
            train_size = max(1, len(self) - test_size)
        return self.split(train_size, test_size, half)

    def _end(self, n, last):
        """The first n images, or the last n."""
        part = slice(len(self) - n, None) if last else slice(n)
        return Dataset(self.images[part], self.manifest)


def _is_last(half):
    """Whether a half is taken from the end of a dataset."""
    if half not in {"A", "B"}:
        raise InputError(f"half is {half!r}: expected A or B")
    return half == "B"


def load(
    path: str | PathLike, verify: bool | None = None, bands: bool = False, layout: str | None = None
) -> Dataset:
    """The dataset in a folder, or an array of images in a `.npy` or `.npz` file.

    Args:
        path: a dataset folder, or an array (N, H, W), (N, H, W, C) or, of one image, (H, W) or
            (H, W, C), C = 1 or 3, uint8, bool or floats in [0, 1] (a `.npz` file: the array `images`,
            or the only one).
        verify: whether to compare a folder's images with the SHA-256 in its manifest; by default,
            up to 1 GB. Shape and type are always compared, and a plain array's values checked.
        bands: whether it may hold wavelet bands, whose values leave [0, 1], in place of images.
        layout: of an array, such as "NCHW"; by default see `find_layout`.

    Raises:
        InputError: if it is missing, damaged, or something else.

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import load
        >>> folder = tempfile.TemporaryDirectory()
        >>> np.save(f"{folder.name}/images.npy", np.zeros((5, 16, 16), np.uint8))
        >>> load(f"{folder.name}/images.npy").images.shape
        (5, 16, 16, 1)
    """
    path = Path(path)
    if path.is_dir():
        return _load_folder(path, verify, bands)
    if not path.exists():
        raise InputError(f"{path} does not exist: give a dataset folder or a .npy or .npz file")
    images, _ = open_array(path, layout=layout)
    manifest = {"recipe": "array", "parameters": {"file": path.name}}
    return Dataset(images, manifest | describe(images.shape, images.dtype))


def load_source(path: str | PathLike, out: str | PathLike, layout: str | None = None) -> Dataset:
    """The dataset that another one is made of, in `out`; see `load`.

    Raises:
        InputError: as for `load`, or if they are in one place.
    """
    if Path(path).resolve() == Path(out).resolve():
        raise InputError(f"{out} is the dataset to read from: choose another name")
    return load(path, layout=layout)


def as_dataset(
    images: Dataset | str | PathLike | ArrayLike, layout: str | None = None, bands: bool = False
) -> Dataset:
    """Whatever holds images as a Dataset.

    Args:
        images: a `Dataset`, a path (see `load`), or what `array_of` takes, by the rule of those in
            files.
        layout, bands: see `load`.

    Raises:
        InputError: if it holds no images, or cannot be read.
    """
    if isinstance(images, Dataset):
        return images
    if isinstance(images, str | os.PathLike):
        return load(images, bands=bands, layout=layout)
    images, _ = check_images(array_of(images), "the array", layout=layout)
    manifest = {"recipe": "array", "parameters": {}}
    return Dataset(images, manifest | describe(images.shape, images.dtype))


def is_dataset(path: str | PathLike) -> bool:
    """Whether there is a dataset folder at the path."""
    return (Path(path) / "manifest.json").is_file()


def describe(shape: Sequence[int], dtype: np.dtype) -> dict[str, Any]:
    """The entries of a manifest that an array must fit."""
    return {"shape": list(shape), "dtype": dtype.name}


def _load_folder(path, verify, bands):
    if not is_dataset(path):
        raise InputError(
            f"{path} is not a dataset: it has no manifest.json; make one with `gahr data`"
        )
    manifest = read_manifest(path / "manifest.json")
    if "value_range" in manifest:
        _check_range(path, manifest["value_range"], bands)
    images = read_array(path / "images.npy")
    found, expected = (
        describe(images.shape, images.dtype),
        {k: manifest[k] for k in ("shape", "dtype")},
    )
    if found != expected:
        raise InputError(
            f"{path / 'images.npy'} has shape {found['shape']} and type {found['dtype']}, but the "
            f"manifest says {expected['shape']} and {expected['dtype']}: make the dataset again"
        )
    if verify is None:
        verify = images.nbytes <= VERIFIED_BYTES
    if verify and _sha256(images) != manifest["sha256"]:
        raise InputError(
            f"{path / 'images.npy'} does not have the SHA-256 of its manifest: it was changed or "
            "damaged; make the dataset again"
        )
    return Dataset(images, manifest)


def _check_range(path, value_range, bands):
    """Refuses wavelet bands where images are expected, and a declared range that is none."""
    numbers = isinstance(value_range, list) and all(
        isinstance(value, int | float) and abs(value) <= 1 for value in value_range
    )
    if not numbers or len(value_range) != 2 or value_range[0] >= value_range[1]:
        raise InputError(
            f"{path / 'manifest.json'} is damaged: value_range is {value_range!r:.50}, expected two "
            "numbers from -1 to 1; make the dataset again"
        )
    if not bands:
        raise InputError(
            f"{path} holds wavelet bands, expected images: bands are for `gahr train --conditional`"
        )


def _sha256(images):
    digest = hashlib.sha256()
    for block in blocks(images):
        digest.update(np.ascontiguousarray(block).data)
    return digest.hexdigest()
