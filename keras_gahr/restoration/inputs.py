"""The images to restore, or what was observed of them, one by one from files."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from keras import ops

from keras_gahr.datasets.arrays import take, to_float
from keras_gahr.datasets.channels import one_channel, with_channels
from keras_gahr.datasets.cropping import cropped
from keras_gahr.datasets.image_arrays import is_array, open_array
from keras_gahr.datasets.image_files import find_images, read_image
from keras_gahr.datasets.store import is_dataset
from keras_gahr.errors import InputError
from keras_gahr.sampling.measurements import Measurement, image_sides, parse_measurement

from .arrays import open_observed

GREY, REPEATED = "made grey", "repeated"
"""What is done with an image that has other channels than the denoiser."""


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """One image to restore.

    Args:
        name: unique among the images of a run, relative to the folder of their results.
        measurement: a `Measurement`.
        observed: float32 of the measurement's `measured_shape`.
        clean: the image, float32 of its `shape`, or None if it is not known.
        channels: `GREY` or `REPEATED` if the image had others than the denoiser, else None.
    """

    name: str
    measurement: Measurement
    observed: np.ndarray
    clean: np.ndarray | None
    channels: str | None


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where an image is: a file, and which of its images if it holds several."""

    name: str
    path: Path
    index: int | None


class InputImages:
    """Reads images from pictures, arrays, datasets and folders, when they are asked for.

    Args:
        sources: paths; folders are read with their subfolders. An array `.npy` (or the `images` of a
            `.npz`) is `(H, W)`, `(H, W, C)`, `(N, H, W)` or `(N, H, W, C)`, or, of what is observed,
            `measured_shape` or `(N, *measured_shape)`.
        text: the measurement, as in `parse_measurement`.
        channels: of the images; pictures and arrays are made grey or repeated to fit.
        seed: of what is random in the measurement.
        crop: see `cropped`.
        index: which image of each array and dataset, from 0; by default all.
        channel: which channel of each image, from 0, as a grey image; by default all.
        measured: whether the sources hold what is observed of images, not images.
        sides: (height, width) of the images, where they do not follow from what is observed.
        layout: of arrays, such as "NCHW"; by default see `find_layout`.

    Attributes:
        left_out: from the names of what is no image in the folders to the reasons.

    Raises:
        InputError: if a source is missing, or two images would have one name.

    Examples:
        >>> import tempfile, numpy as np
        >>> from pathlib import Path
        >>> from keras_gahr.restoration import InputImages
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "images.npy"
        ...     np.save(path, np.random.default_rng(0).random((2, 8, 8, 1)))
        ...     InputImages([path], "super-resolution:4", channels=1).names
        ['images-0000', 'images-0001']
    """

    def __init__(
        self,
        sources: Iterable[str | Path],
        text: str,
        channels: int,
        seed: int = 0,
        *,
        crop: str | tuple[int, ...] | None = None,
        index: int | None = None,
        channel: int | None = None,
        measured: bool = False,
        sides: tuple[int, int] | None = None,
        layout: str | None = None,
    ) -> None:
        if measured and crop is not None:
            raise InputError("received a crop for images that are measured already: leave it out")
        if measured and channel is not None:
            raise InputError(
                "received a channel for images that are measured already: leave it out"
            )
        if sides is not None and not measured:
            raise InputError("received a size for whole images: pass --crop to make them smaller")
        self.text = text
        self.channels = channels
        self.crop = crop
        self.index = index
        self.channel = channel
        self.measured = measured
        self.sides = sides
        self.layout = layout
        self.left_out = {}
        # Neighbours usually share a shape, and making a measurement may take long.
        self._measurement = functools.lru_cache(2)(
            lambda sides: parse_measurement(text, (*sides, channels), seed)
        )
        self._array = functools.lru_cache(1)(self._open_array)
        self._places = [
            place
            for source in map(Path, sources)
            for path, name in self._files(source)
            for place in self._in(path, name)
        ]
        names = [place.name for place in self._places]
        if len(names) != len(set(names)):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"two images would both be called {twice}: rename a file")

    @property
    def names(self) -> list[str]:
        """The images' names, in order."""
        return [place.name for place in self._places]

    def __len__(self):
        return len(self._places)

    def __iter__(self):
        """Yields a `Problem` for each image.

        Raises:
            InputError: if an image cannot be used, naming its file.
        """
        for place in self._places:
            try:
                yield self._measured_one(place) if self.measured else self._clean_one(place)
            except InputError as error:
                message = str(error)
                named = str(place.path) in message
                raise InputError(message if named else f"{place.path}: {message}") from error

    def _files(self, source):
        """The files that a source stands for, and what their images are called."""
        if not source.exists():
            raise InputError(
                f"{source} does not exist: give an image, an array or a folder of them"
            )
        if not source.is_dir():
            return [(source, _stem(source))]
        if is_dataset(source):
            return [(source / "images.npy", _stem(source / "images.npy"))]
        paths, left_out = find_images(source)
        self.left_out |= {str(source / name): reason for name, reason in left_out.items()}
        return [(path, path.relative_to(source).with_suffix("").as_posix()) for path in paths]

    def _in(self, path, stem):
        """The places of the images in a file."""
        if not is_array(path):
            if self.index is not None:
                raise InputError(f"{path} is one picture: leave the index out")
            return [_Place(stem, path, None)]
        count = len(self._array(path))
        if self.index is not None and self.index >= count:
            raise InputError(
                f"{path} has {count} images: expected an index from 0, not {self.index}"
            )
        if count == 1:
            return [_Place(stem, path, 0)]
        digits = max(4, len(str(count - 1)))
        chosen = range(count) if self.index is None else [self.index]
        return [_Place(f"{stem}-{index:0{digits}d}", path, index) for index in chosen]

    def _clean_one(self, place):
        whole = place.index is None
        image = read_image(place.path) if whole else take(self._array(place.path), place.index)
        image, change = self._fitted(one_channel(image, self.channel))
        image = cropped(image, self.crop, place.path)
        measurement = self._measurement(image.shape[:2])
        observed = measurement.observe(ops.convert_to_tensor(image[None]))
        return Problem(place.name, measurement, ops.convert_to_numpy(observed)[0], image, change)

    def _fitted(self, image):
        """An image with the denoiser's channels, and what was done for that."""
        if image.shape[-1] == self.channels:
            return image, None
        change = REPEATED if image.shape[-1] == 1 else GREY
        return with_channels(image, self.channels), change

    def _measured_one(self, place):
        if place.index is not None:
            observed = np.array(self._array(place.path)[place.index])
            observed = to_float(observed, None)
            measurement = self._measurement_of(observed.shape)
            return Problem(place.name, measurement, observed, None, None)
        picture = read_image(place.path)
        measurement = self._measurement_of(picture.shape)
        expected = measurement.measured_shape
        if not measurement.gives_pictures or picture.shape[:2] != expected[:2]:
            raise InputError(
                f"received a picture of {picture.shape[0]}x{picture.shape[1]}, expected what "
                f"{self.text} observes, {measurement.measured_shape}"
            )
        return Problem(place.name, measurement, with_channels(picture, expected[2]), None, None)

    def _measurement_of(self, observed):
        """The measurement of the images that what was observed, of this shape, came from."""
        if self.sides is not None:
            return self._measurement(tuple(self.sides))
        if len(observed) == 1:
            raise InputError(
                f"received {observed[0]} numbers, which do not say the size of the image: give it (--size)"
            )
        return self._measurement(image_sides(self.text, observed[:2]))

    def _open_array(self, path):
        if self.measured:
            return open_observed(path, self._measurement_of, self.layout)
        return open_array(path, self.channels, self.layout)[0]


def _stem(path):
    """What an image of a file is called: a dataset's images after its folder."""
    return path.parent.resolve().name if is_dataset(path.parent) else path.stem
