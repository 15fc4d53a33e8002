"""Datasets made from picture files, whatever is done with each picture."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import os
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.pixel_limit import current_pixel_limit, pixel_limit
from keras_gahr.progress import OnProgress

from .arrays import check_values, to_float
from .decoding import decode_picture, decoded_size
from .hub_dataset import name_of
from .sources import PictureSource, Wanted, open_source, paths_of
from .store import Dataset, load
from .writer import check_dataset_output, writing

BLOCK = 32
"""Files; a killed run loses no more than the last block."""

MOST_HELD = 2**29
"""Bytes of decoded pictures in memory at once, or else one picture."""


def make_from_pictures(
    source: PictureSource,
    out: str | PathLike,
    recipe: str,
    parameters: dict[str, Any],
    convert: Callable[[np.ndarray, str], np.ndarray],
    dtype: str,
    image_shape: Sequence[int] | None = None,
    skip_bad: bool = False,
    only: str | None = None,
    count: int | None = None,
    column: str | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    progress: OnProgress = None,
) -> Dataset:
    """Makes a dataset from picture files.

    The images are in the order of the files' names (sorted as text), or of the rows of a table; the
    manifest has the name and SHA-256 of the file of each. The result does not depend on the order in an
    archive or on the number of workers. A run that was killed goes on where it was when it is started
    again: what it had finished is kept as far as the files still have the same names and SHA-256, and
    the result is the same to the byte.

    Args:
        source: a folder (with its subfolders), a .tar, .tar.gz or .zip of pictures, a Parquet or Arrow
            file and others; a folder of such shards, or a list; a `Dataset` of the library `datasets`:
            see `open_source`.
        out: the dataset folder to make.
        recipe, parameters: for the manifest; the source's name and what says which of its pictures are
            taken are added.
        convert: a function (picture, name) -> images (rows, n, H, W, C) of type `dtype`, at least one,
            which are written row by row and so may be a view of what takes less memory; the picture is
            (H, W, 1) or (H, W, 3), uint8, or float32 in [0, 1] if 8 bits do not hold its values. It may
            be called from several threads, and raises InputError for a picture that cannot be used.
        dtype: "float32" or "uint8".
        image_shape: (H, W, C), or None for that of the first picture that can be used.
        skip_bad: leave out the files that cannot be used, and list them in the manifest with the
            reason, instead of stopping at the first.
        only: take only pictures whose name, or the end of it from any slash on, fits this pattern, such
            as "train*" (see `fnmatch`).
        count: take only so many pictures, the first ones.
        column: of a table, that of the pictures; by default the only one that can have pictures.
        overwrite: replace an older dataset.
        workers: number of decoding threads; by default one for each core, at most 8.
        progress: called as progress(files done, files in all).

    Returns:
        The Dataset.

    Raises:
        InputError: if the source or a picture in it cannot be used, or `out` exists.
    """
    out, paths = Path(out), paths_of(source)
    for path in paths:
        if out.resolve().is_relative_to(path.resolve()):
            raise InputError(f"{out} lies inside {path}: put the dataset somewhere else")
    check_dataset_output(out, overwrite)
    wanted = Wanted(only, count, column, skip_bad)
    names = [path.resolve().name for path in paths] or [name_of(source)]
    parameters = {"source": names if len(names) > 1 else names[0], **parameters}
    parameters |= {k: v for k, v in dataclasses.asdict(wanted).items() if v is not None}
    with contextlib.ExitStack() as stack:
        files = stack.enter_context(open_source(source, wanted))
        make = _Make(files, convert, dtype)
        if image_shape is None:
            image_shape = make.first_shape(skip_bad)
        make.image_shape = image_shape
        writer = stack.enter_context(
            writing(out, recipe, parameters, image_shape, dtype, overwrite, resume=True)
        )
        pool = stack.enter_context(
            concurrent.futures.ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1))
        )
        writer.skipped += files.skipped
        # What is left out as too large depends on the limit; where nothing is, it only stops.
        limits = [current_pixel_limit()] if skip_bad else []
        for start in range(0, len(files.names), BLOCK):
            names = files.names[start : start + BLOCK]
            # One by one, since what comes from a table is read in order.
            key = list(map(make.digest, names)) if writer.resuming else None
            if key is None or not writer.restore([names, key, *limits]):
                _write_block(writer, names, make.in_order(names, pool), skip_bad, limits)
            if progress:
                progress(start + len(names), len(files.names))
        if not writer.count:
            last = writer.skipped[-1]["reason"]
            raise InputError(
                f"none of the {len(files.names)} pictures in {names[0]} can be used; the last: {last}"
            )
    # They hold as much of each file as the manifest, which is read now.
    del files, make, writer
    return load(out, verify=False)


def _write_block(writer, names, made, skip_bad, limits):
    """Adds the images made from a block of files, or raises the first error among them."""
    writer.begin_block()
    digests = []
    for name, images, digest in made:
        digests.append(digest)
        file = {"name": name, "sha256": digest}
        if not isinstance(images, InputError):
            for row in images:
                writer.append(row, [file] * len(row))
        elif skip_bad:
            writer.skipped.append(file | {"reason": str(images)})
        else:
            raise images
        images = row = None  # So that the next may be decoded.
    writer.end_block([names, digests, *limits])


def as_type(values: np.ndarray, color: bool, dtype: str) -> np.ndarray:
    """Pixel values of a dataset: colour, or the mean of red, green and blue.

    Args:
        values: (..., 1) or (..., 3), uint8 or, for a `dtype` of float32, float32 in [0, 1].
        color: RGB instead of grey.
        dtype: "float32" for values in [0, 1] without rounding, "uint8" for rounded ones.

    Returns:
        (..., 3) or (..., 1).
    """
    grey = values.shape[-1] == 1
    if color or grey or values.dtype != np.uint8:
        values = values if dtype == "uint8" else to_float(values)
        if color:
            return values.repeat(3, axis=-1) if grey else values
        return values if grey else values.mean(axis=-1, keepdims=True)
    total = values.sum(axis=-1, keepdims=True, dtype=np.uint16)
    if dtype == "uint8":
        return ((total + 1) // 3).astype(np.uint8)
    return np.divide(total, 3 * 255, dtype=np.float32)


class _Make:
    """From a file's name to its images and its SHA-256; for several threads.

    Args:
        files: the `Source`.
        convert, dtype: see `make_from_pictures`.

    Attributes:
        image_shape: (H, W, C) that every image must have, or None for any.
    """

    def __init__(self, files, convert, dtype):
        self.image_shape: Sequence[int] | None = None
        self._dtype = dtype
        self._pixels = current_pixel_limit()
        self._files = files
        self._convert = convert

    def __call__(self, name):
        """The images, or the InputError that says why there are none; and the file's SHA-256."""
        return self._make(name, self._read(name))

    def in_order(self, names, pool):
        """Yields each name and what the call gives for it; the threads of a pool work ahead.

        They are ahead by as many pictures as fit into `MOST_HELD`: what is yielded is to be dropped
        before the next is asked for.
        """
        waiting, held = collections.deque(), 0
        for name in names:
            data = self._read(name)
            size = 0 if isinstance(data, InputError) else self._size(data)
            while waiting and held + size > MOST_HELD:
                earlier, made, freed = waiting.popleft()
                yield earlier, *made.result()
                del made
                held -= freed
            waiting.append((name, pool.submit(self._make, name, data), size))
            held += size
            del data
        while waiting:
            name, made, _ = waiting.popleft()
            yield name, *made.result()
            del made

    def _read(self, name):
        try:
            return self._files.read(name)
        except InputError as error:
            return error

    def _size(self, data):
        """The bytes that a picture may take until it is written; all there are if it does not say."""
        size = decoded_size(data)
        return MOST_HELD if size is None else size

    def _make(self, name, data):
        if isinstance(data, InputError):
            return data, None
        digest = hashlib.sha256(data).hexdigest()
        try:
            with pixel_limit(self._pixels):
                picture = decode_picture(data, name).color
            if picture.dtype != np.uint8 and self._dtype == "uint8":
                raise InputError(
                    f"{name} has more than 8 bits a value: make a dataset of float32, or save it "
                    "with 8 bits"
                )
            check_values(picture, name)
            images = self._convert(picture, name)
            if self.image_shape and images.shape[2:] != tuple(self.image_shape):
                height, width = images.shape[2:4]
                raise InputError(
                    f"{name} gives an image of {height} x {width} (height x width), but the first "
                    f"one has {self.image_shape[0]} x {self.image_shape[1]}: choose a crop or a size"
                )
            return images, digest
        except InputError as error:
            return error, digest

    def digest(self, name):
        """The file's SHA-256, or None if it cannot be read."""
        try:
            return hashlib.sha256(self._files.read(name)).hexdigest()
        except InputError:
            return None

    def first_shape(self, skip_bad) -> tuple[int, ...]:
        """(H, W, C) of the images of the first file that can be used."""
        images = None
        for name in self._files.names:
            images, _ = self(name)
            if not isinstance(images, InputError):
                return images.shape[2:]
            if not skip_bad:
                raise images
        raise InputError(
            f"none of the {len(self._files.names)} pictures can be used; the last: {images}"
        )
