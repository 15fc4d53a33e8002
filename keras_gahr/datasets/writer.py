"""Writing a dataset block by block, whole or not at all."""

import contextlib
import hashlib
import json

import numpy as np

from keras_gahr import __version__
from keras_gahr.errors import InputError
from keras_gahr.files import check_output_folder, replacing_folder

from .store import FORMAT_VERSION, describe


@contextlib.contextmanager
def writing(out, recipe, parameters, image_shape, dtype, overwrite=False):
    """Writes a dataset block by block, whole or not at all.

    Yields a `DatasetWriter`. On an exception nothing is left, and an older dataset is untouched.

    Args:
        out: the folder to make.
        recipe: name of what makes the images, such as "faces".
        parameters: all its parameters, for the manifest.
        image_shape: (H, W, C).
        dtype: "uint8" or "float32".
        overwrite: whether to replace an older dataset (nothing else is ever replaced).

    Raises:
        InputError: if `out` exists and may not be replaced, if the type is another one, or if no
            image was written.
    """
    contents = ("images.npy", "manifest.json", "contact_sheet.png")
    out = check_output_folder(out, overwrite, known_by="manifest.json", contents=contents)
    if dtype not in {"uint8", "float32"}:
        raise InputError(f"the type of the images is {dtype!r}: expected uint8 or float32")
    with replacing_folder(out, overwrite) as folder:
        with (folder / "images.npy").open("wb") as file:
            writer = DatasetWriter(file, image_shape, dtype)
            yield writer
            if not writer.count:
                raise InputError(f"no images for {out}: nothing was written")
            writer.write_header()
        manifest = {
            "format": FORMAT_VERSION,
            "package": f"keras-gahr {__version__}",
            "recipe": recipe,
            "parameters": parameters,
            **describe(writer.shape, writer.dtype),
            "sha256": writer.digest.hexdigest(),
            "sources": writer.sources,
            "skipped": writer.skipped,
        }
        text = json.dumps(manifest, indent=1) + "\n"
        (folder / "manifest.json").write_text(text, encoding="utf-8")


class DatasetWriter:
    """Takes the images of a dataset in order; made by `writing`.

    Attributes:
        sources: one entry for each image made from a file, {"name": ..., "sha256": ...}.
        skipped: one entry for each file left out, {"name": ..., "reason": ...} and more.
    """

    def __init__(self, file, image_shape, dtype):
        self.sources = []
        self.skipped = []
        self.count = 0
        self.dtype = np.dtype(dtype)
        self.digest = hashlib.sha256()
        self._image_shape = tuple(image_shape)
        self._file = file
        self.write_header()

    @property
    def shape(self):
        return (self.count, *self._image_shape)

    def append(self, images):
        """Adds images (n, H, W, C) of the dataset's type."""
        if images.shape[1:] != self._image_shape or images.dtype != self.dtype:
            raise ValueError(
                f"images have shape {images.shape} and type {images.dtype}, expected "
                f"(n, {', '.join(map(str, self._image_shape))}) and {self.dtype}"
            )
        data = np.ascontiguousarray(images).data
        self.digest.update(data)
        self._file.write(data)
        self.count += len(images)

    def write_header(self):
        """Writes the array's header with the present count at the start of the file.

        NumPy reserves room in a header for the first axis to grow, so it keeps its length.
        """
        self._file.seek(0)
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(self._file, header)
