"""Writing a dataset block by block, whole or not at all."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from keras_gahr import __version__
from keras_gahr.errors import InputError
from keras_gahr.figure_files import figure_files
from keras_gahr.files import check_output_folder, replacing_folder, resuming_folder
from keras_gahr.json_file import write_json

from .journal import Journal
from .manifest import FORMAT_VERSION
from .store import describe

_PART = 2**24
"""Bytes that are read at a time."""

CONTENTS = ("images.npy", "manifest.json", "contact_sheet.png", *figure_files("repeats"))


def check_dataset_output(out: str | PathLike, overwrite: bool = False) -> Path:
    """The path, if a dataset may be written there; for a check before long work.

    Raises:
        InputError: if it exists and may not be replaced.
    """
    return check_output_folder(out, overwrite, known_by="manifest.json", contents=CONTENTS)


@contextlib.contextmanager
def writing(
    out: str | PathLike,
    recipe: str,
    parameters: dict[str, Any],
    image_shape: Sequence[int],
    dtype: str,
    overwrite: bool = False,
    resume: bool = False,
) -> Iterator["DatasetWriter"]:
    """Writes a dataset block by block, whole or not at all.

    Yields a `DatasetWriter`. On an exception nothing is left, and an older dataset is untouched.

    Args:
        out: the folder to make.
        recipe: name of what makes the images, such as "faces".
        parameters: all its parameters, for the manifest.
        image_shape: (H, W, C).
        dtype: "uint8" or "float32".
        overwrite: whether to replace an older dataset (nothing else is ever replaced).
        resume: whether a killed or interrupted run leaves what it has, for the next one with the
            same recipe, parameters, shape and type to take up by `DatasetWriter.restore`.

    Raises:
        InputError: if `out` exists and may not be replaced, if the type is another one, or if no
            image was written.

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import load, writing
        >>> folder = tempfile.TemporaryDirectory()
        >>> out, made_by = f"{folder.name}/grey", {"value": 0.5}
        >>> with writing(out, "grey", made_by, (8, 8, 1), "float32") as writer:
        ...     writer.append(np.full((2, 8, 8, 1), 0.5, np.float32))
        >>> load(out).manifest["shape"]
        [2, 8, 8, 1]
    """
    out = check_dataset_output(out, overwrite)
    if dtype not in {"uint8", "float32"}:
        raise InputError(f"the type of the images is {dtype!r}: expected uint8 or float32")
    made_by = {
        "format": FORMAT_VERSION,
        "package": f"keras-gahr {__version__}",
        "recipe": recipe,
        "parameters": parameters,
    }
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(
            (resuming_folder if resume else replacing_folder)(out, overwrite)
        )
        journal = None
        if resume:
            key = made_by | {"image_shape": list(image_shape), "dtype": dtype}
            journal = Journal(folder / "journal.jsonl", key)
            stack.callback(journal.close)
        images = folder / "images.npy"
        resumed = journal and journal.pending and images.exists()
        with images.open("r+b" if resumed else "w+b") as file:
            writer = DatasetWriter(file, image_shape, dtype, journal)
            yield writer
            if not writer.count:
                raise InputError(f"no images for {out}: nothing was written")
            file.truncate()
            writer.write_header()
        manifest = {
            **made_by,
            **describe(writer.shape, writer.dtype),
            "sha256": writer.digest.hexdigest(),
            "sources": writer.sources,
            "skipped": writer.skipped,
            **writer.extra,
        }
        write_json(folder / "manifest.json", manifest)
        if journal:
            journal.remove()


class DatasetWriter:
    """Takes the images of a dataset in order; made by `writing`.

    Attributes:
        sources: one entry for each image made from a file, {"name": ..., "sha256": ...}.
        skipped: one entry for each file left out, {"name": ..., "reason": ...} and more.
        extra: further entries of the manifest.
    """

    def __init__(
        self, file: BinaryIO, image_shape: Sequence[int], dtype: str, journal: Journal | None = None
    ) -> None:
        self.sources = []
        self.skipped = []
        self.extra = {}
        self.count = 0
        self.dtype = np.dtype(dtype)
        self.digest = hashlib.sha256()
        self._image_shape = tuple(image_shape)
        self._file = file
        self._journal: Any = journal
        self._block: Any = None
        self._block_digest: Any = None
        self.write_header()

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.count, *self._image_shape)

    @property
    def resuming(self) -> bool:
        """Whether an interrupted run has left blocks for `restore`."""
        return self._journal is not None and self._journal.pending

    def append(self, images: np.ndarray, sources: Sequence[dict[str, Any]] = ()) -> None:
        """Adds images.

        Args:
            images: (n, H, W, C) of the dataset's type.
            sources: entries to add to that list.
        """
        if images.shape[1:] != self._image_shape or images.dtype != self.dtype:
            raise ValueError(
                f"images have shape {images.shape} and type {images.dtype}, expected "
                f"(n, {', '.join(map(str, self._image_shape))}) and {self.dtype}"
            )
        data = np.ascontiguousarray(images).data
        self._file.write(data)
        self.digest.update(data)
        if self._block is not None:
            self._block_digest.update(data)
        self.count += len(images)
        self.sources += sources

    def begin_block(self) -> None:
        """What is added from here to `end_block` is left by an interrupted run to `restore`."""
        self._block = self.count, len(self.sources), len(self.skipped)
        self._block_digest = hashlib.sha256()

    def end_block(self, key: Any) -> None:
        """Ends a block.

        Args:
            key: what the block is made from, as JSON has it.
        """
        count, sources, skipped = self._block
        # The images first: a journal must not promise what is not there.
        self._file.flush()
        self._journal.add(
            key=key,
            count=self.count - count,
            sources=self.sources[sources:],
            skipped=self.skipped[skipped:],
            sha256=self._block_digest.hexdigest(),
        )
        self._block = None

    def restore(self, key: Any) -> bool:
        """Takes the next block from an interrupted run, if it was made from the same.

        Returns:
            Whether that was so. If not, that run's remaining blocks are given up.
        """
        entry = self._journal.next(key)
        if entry is None:
            return False
        start = self._file.tell()
        left = entry["count"] * int(np.prod(self._image_shape)) * self.dtype.itemsize
        whole, block = self.digest.copy(), hashlib.sha256()
        while data := self._file.read(min(left, _PART)):
            left -= len(data)
            whole.update(data)
            block.update(data)
        if block.hexdigest() != entry["sha256"]:
            self._journal.give_up()
            self._file.seek(start)
            return False
        self._journal.accept()
        self.digest = whole
        self.count += entry["count"]
        self.sources += entry["sources"]
        self.skipped += entry["skipped"]
        return True

    def write_header(self) -> None:
        """Writes the array's header with the present count at the start of the file.

        NumPy reserves room in a header for the first axis to grow, so it keeps its length.
        """
        self._file.seek(0)
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(self._file, header)
