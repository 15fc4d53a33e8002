"""Datasets from arrays of images: .npy, .npz and the IDX files of MNIST."""

import contextlib
import gzip
import hashlib
import zlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.impostors import impostor

from .arrays import blocks, to_float
from .entries import most_inflated
from .patches import check_patches, cut_patches
from .store import Dataset, load
from .writer import writing

# Images are unsigned bytes (8) along three axes; labels have one.
IDX_IMAGES, IDX_LABELS = bytes([0, 0, 8, 3]), bytes([0, 0, 8, 1])


def make_array(
    file: str | PathLike,
    out: str | PathLike,
    patch: int | None = None,
    stride: int | None = None,
    overwrite: bool = False,
    layout: str | None = None,
) -> Dataset:
    """Makes a dataset from an array in a file.

    Args:
        file: a .npy or .npz file of images, as for `load`. uint8 stays uint8, all else becomes
            float32.
        out: the dataset folder to make.
        patch: height and width of square patches to cut from the images; by default they stay whole.
        stride: from one patch to the next, by default `patch`.
        overwrite: replace an older dataset.
        layout: of the array, such as "NCHW"; by default see `find_layout`.

    Returns:
        The Dataset.

    Raises:
        InputError: if the file or a number cannot be used, or `out` exists.

    Examples:
        >>> import numpy as np, tempfile
        >>> from keras_gahr.datasets import make_array
        >>> folder = tempfile.TemporaryDirectory()
        >>> np.save(f"{folder.name}/images.npy", np.zeros((5, 16, 16), np.uint8))
        >>> patches = make_array(f"{folder.name}/images.npy", f"{folder.name}/patches", patch=8)
        >>> patches.images.shape
        (20, 8, 8, 1)
    """
    file = Path(file)
    if file.is_dir():
        raise InputError(f"{file} is a folder: expected a .npy or .npz file")
    check_patches(patch, stride)
    images = load(file, layout=layout).images
    dtype = "uint8" if images.dtype == np.uint8 else "float32"
    parameters = {"file": file.name, "file_sha256": _sha256(file)}
    if layout is not None:
        parameters["layout"] = layout.upper()
    shape = images.shape[1:]
    if patch is not None:
        parameters |= {"patch": patch, "stride": stride or patch}
        shape = (patch, patch, shape[-1])
    with writing(out, "array", parameters, shape, dtype, overwrite) as writer:
        for block in blocks(images):
            values = np.asarray(block) if dtype == "uint8" else to_float(block)
            if patch is None:
                writer.append(values)
                continue
            for image in values:
                for row in cut_patches(image, patch, stride or patch, file.name):
                    writer.append(row)
    return load(out, verify=False)


def make_mnist(
    files: Sequence[str | PathLike], out: str | PathLike, overwrite: bool = False
) -> Dataset:
    """Makes a dataset from IDX files of images, as MNIST has them, in the order given.

    Args:
        files: paths of files such as train-images-idx3-ubyte or train-images-idx3-ubyte.gz.
        out: the dataset folder to make; its images are uint8 with one channel.
        overwrite: replace an older dataset.

    Returns:
        The Dataset.

    Raises:
        InputError: if a file is missing, damaged or something else, the sizes differ, or `out`
            exists.

    Examples:
        >>> import numpy as np, pathlib, tempfile
        >>> from keras_gahr.datasets import make_mnist
        >>> folder = tempfile.TemporaryDirectory()
        >>> file = pathlib.Path(folder.name, "train-images-idx3-ubyte")
        >>> start = bytes([0, 0, 8, 3]) + np.array([2, 28, 28], ">u4").tobytes()
        >>> length = file.write_bytes(start + bytes(2 * 28 * 28))
        >>> make_mnist([file], f"{folder.name}/mnist").images.shape
        (2, 28, 28, 1)
    """
    arrays = [_read_idx(Path(file)) for file in files]
    shapes = sorted({array.shape[1:] for array in arrays})
    if len(shapes) != 1:
        raise InputError(f"the files hold images of {shapes[0]} and {shapes[1]}: expected one size")
    names = [
        {"name": Path(file).name, "sha256": _sha256(Path(file)), "images": len(array)}
        for file, array in zip(files, arrays, strict=True)
    ]
    with writing(out, "mnist", {"files": names}, (*shapes[0], 1), "uint8", overwrite) as writer:
        for array in arrays:
            writer.append(array[..., None])
    return load(out, verify=False)


def _read_idx(path):
    """The images in an IDX file, uint8 (N, H, W)."""
    if not path.is_file():
        raise InputError(f"{path} is not a file: give an IDX file of images")
    with path.open("rb") as raw, contextlib.ExitStack() as stack:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        file = stack.enter_context(gzip.GzipFile(fileobj=raw)) if packed else raw
        try:
            magic = file.read(4)
            if magic == IDX_LABELS:
                raise InputError(f"{path} holds labels: give the file of images (idx3)")
            if magic != IDX_IMAGES:
                raise impostor(path, "an IDX file", {"gzip"}) or InputError(
                    f"{path} is not an IDX file of images"
                )
            count, height, width = np.frombuffer(file.read(12), ">u4").tolist()
            size = count * height * width
            if packed and size > most_inflated(path.stat().st_size):
                raise InputError(
                    f"{path} should hold {size} bytes, more than its own {path.stat().st_size} can hold "
                    "of images: get it again, or unpack it first"
                )
            # One byte more shows whether there are more; the size in a header is not to be trusted.
            data = _read_up_to(file, size + 1)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} is damaged: {error}; get it again") from error
    if not size or len(data) != size:
        raise InputError(
            f"{path} should hold {count} images of {height} x {width}, but holds "
            f"{'more' if len(data) > size else 'less'}: get it again"
        )
    return np.frombuffer(data, np.uint8).reshape(count, height, width)


def _read_up_to(file, size):
    """At most `size` bytes, in parts, so that no more memory is taken than there is data."""
    data = bytearray()
    while len(data) < size and (part := file.read(min(2**20, size - len(data)))):
        data += part
    return data


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
