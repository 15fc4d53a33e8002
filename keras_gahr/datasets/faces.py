"""Faces: the aligned pictures of CelebA, cropped and shrunk as in arXiv 2310.02557."""

import concurrent.futures
import hashlib
import os
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gahr.errors import InputError

from .image_files import is_deep, open_picture
from .sources import open_source
from .store import load
from .writer import writing

SIZES = (160, 80, 40, 20)

# Picture size (width, height) -> box (left, top, right, bottom) of the face. The first is CelebA as
# published, the second the same pictures at half size.
CROPS = {(178, 218): (9, 29, 169, 189), (89, 109): (4, 14, 84, 94)}

BLOCK = 256


def make_faces(
    source,
    out,
    size=80,
    color=False,
    dtype="float32",
    skip_bad=False,
    overwrite=False,
    workers=None,
    progress=None,
):
    """Makes a dataset of faces from the aligned CelebA pictures.

    The images are in the order of the files' names (sorted as text), one for each file; the
    manifest lists them all with their SHA-256. The result does not depend on the order in an
    archive or on the number of workers.

    Args:
        source: a folder (with its subfolders), a .tar, .tar.gz or .zip of JPEG or PNG pictures of
            178 x 218 or 89 x 109 pixels (width x height).
        out: the dataset folder to make.
        size: height and width of the images: 80, 40, 20, or 160 from pictures of 178 x 218.
        color: RGB instead of grey.
        dtype: "float32" for values in [0, 1] without rounding, "uint8" for rounded ones.
        skip_bad: leave out the files that cannot be used, and list them in the manifest with the
            reason, instead of stopping at the first.
        overwrite: replace an older dataset.
        workers: number of decoding threads; by default one for each core, at most 8.
        progress: called as progress(files done, files in all).

    Returns:
        The Dataset.

    Raises:
        InputError: if the source, a picture in it or a parameter cannot be used, or `out` exists.
    """
    source, out = Path(source), Path(out)
    if size not in SIZES:
        raise InputError(f"the size is {size}: expected one of {', '.join(map(str, SIZES))}")
    if out.resolve().is_relative_to(source.resolve()):
        raise InputError(f"{out} lies inside {source}: put the dataset somewhere else")
    parameters = {
        "source": source.resolve().name,
        "size": size,
        "color": color,
        "skip_bad": skip_bad,
    }
    workers = workers or min(8, os.cpu_count() or 1)
    shape = (size, size, 3 if color else 1)

    def make(name):
        """The face, or the InputError that says why there is none; and the file's SHA-256."""
        digest = None
        try:
            data = files.read(name)
            digest = hashlib.sha256(data).hexdigest()
            return _as_type(face(open_picture(data, name), size, name), color, dtype), digest
        except InputError as error:
            return error, digest

    with (
        writing(out, "faces", parameters, shape, dtype, overwrite) as writer,
        open_source(source) as files,
        concurrent.futures.ThreadPoolExecutor(workers) as pool,
    ):
        writer.skipped += [
            {"name": name, "reason": "not a .jpg, .jpeg or .png file, or hidden"}
            for name in files.others
        ]
        for start in range(0, len(files.names), BLOCK):
            names = files.names[start : start + BLOCK]
            faces = []
            for name, (made, digest) in zip(names, pool.map(make, names), strict=True):
                if not isinstance(made, InputError):
                    faces.append(made)
                    writer.sources.append({"name": name, "sha256": digest})
                elif skip_bad:
                    writer.skipped.append({"name": name, "sha256": digest, "reason": str(made)})
                else:
                    raise made
            if faces:
                writer.append(np.stack(faces))
            if progress:
                progress(start + len(names), len(files.names))
        if not writer.count:
            raise InputError(
                f"none of the {len(files.names)} pictures in {source} can be used; the last: {made}"
            )
    return load(out, verify=False)


def face(picture, size, name):
    """The face in an aligned CelebA picture, uint8 RGB (size, size, 3).

    It is cropped to a square of 160 or 80 pixels and shrunk to `size` by Pillow's bicubic filter.

    Raises:
        InputError: naming `name`, if the picture has another size, is too small or has 16 bits.
    """
    if picture.size not in CROPS:
        width, height = picture.size
        raise InputError(
            f"{name} is {width} x {height} (width x height): expected 178 x 218 or 89 x 109, the "
            "aligned CelebA pictures"
        )
    if is_deep(picture):
        raise InputError(f"{name} has more than 8 bits a value: expected an 8-bit picture")
    square = picture.convert("RGB").crop(CROPS[picture.size])
    if square.width < size:
        raise InputError(
            f"{name} gives a face of {square.width} pixels: for size {size} take pictures of "
            "178 x 218, or choose a smaller size"
        )
    if square.width > size:
        square = square.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(square)


def _as_type(rgb, color, dtype):
    """(H, W, 3 or 1): colour, or the mean of the three; in [0, 1] without rounding, or rounded."""
    if color:
        return rgb if dtype == "uint8" else np.divide(rgb, 255, dtype=np.float32)
    total = rgb.sum(axis=-1, keepdims=True, dtype=np.uint16)
    if dtype == "uint8":
        return ((total + 1) // 3).astype(np.uint8)
    return np.divide(total, 3 * 255, dtype=np.float32)
