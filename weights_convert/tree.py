"""A folder tree of checkpoints as one of `.keras` files."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from keras_gahr.denoisers import Inference, load_denoiser
from keras_gahr.errors import InputError

from .conversion import Conversion, convert
from .read import read_root

SIGMA = 25 / 255
"""Noise level of the reported PSNR."""


@dataclass(frozen=True)
class TreeItem:
    """What became of one file.

    Args:
        name: path below the tree's root, with / between folders.
        conversion: a `Conversion`, or None if there was none.
        psnr: dB of a denoised test image, or None for networks that do not map images to images.
        error: one line on what failed, or "".
        note: one line on why the file was passed over, or "".
    """

    name: str
    conversion: Conversion | None = None
    psnr: float | None = None
    error: str = ""
    note: str = ""


def convert_tree(src, dst, *, first_layer=None, overwrite=False, progress=lambda done, total: None):
    """Converts every `.pt` file in a folder and the folders in it.

    A file that cannot be converted does not stop the others.

    Args:
        src: the folder.
        dst: the folder for the `.keras` files, which lie there as the checkpoints do in `src`.
        first_layer, overwrite: see `convert`.
        progress: called with (files done, files in all).

    Returns:
        A list of `TreeItem`, sorted by name.

    Raises:
        InputError: if `src` is no folder or has no `.pt` file, or if `dst` is a file.
    """
    src, dst = Path(src), Path(dst)
    if not src.is_dir():
        raise InputError(f"{src} is not a folder: give one with PyTorch checkpoints (.pt) in it")
    if dst.exists() and not dst.is_dir():
        raise InputError(f"{dst} is not a folder: give one for the .keras files")
    paths = sorted(path for path in src.rglob("*.pt") if path.is_file())
    if not paths:
        raise InputError(f"{src} has no PyTorch checkpoint (.pt) in it")
    items = []
    for path in paths:
        progress(len(items), len(paths))
        name = path.relative_to(src)
        items.append(_convert(path, name, dst / name.with_suffix(".keras"), first_layer, overwrite))
    progress(len(items), len(paths))
    return items


def _convert(path, name, out, first_layer, overwrite):
    name = name.as_posix()
    try:
        if _is_psnr_record(path):
            return TreeItem(name, note="holds PSNR values, no weights")
        conversion = convert(path, out, first_layer=first_layer, overwrite=overwrite)
        return TreeItem(name, conversion, _psnr(load_denoiser(out)))
    except InputError as error:
        return TreeItem(name, error=str(error))
    except OSError as error:
        return TreeItem(name, error=f"{error.filename or path}: {error.strerror or error}")


def _is_psnr_record(path):
    """Whether a file holds what trainers write beside the weights: {sigma: [PSNR, ...]}."""
    try:
        with path.open("rb") as file:
            root = read_root(file)
    except InputError:
        return False
    return (
        type(root) is dict
        and len(root) > 0
        and all(type(sigma) in (int, float) and type(root[sigma]) is list for sigma in root)
    )


def _psnr(denoiser):
    """PSNR in dB of the built-in test image with noise of `SIGMA`, denoised."""
    if denoiser.input_channels != denoiser.output_channels:
        return None
    multiple = denoiser.size_multiple
    clean = _cartoon(multiple * -(-96 // multiple), denoiser.input_channels)
    noise = np.random.default_rng(0).standard_normal(clean.shape)
    noisy = (clean + SIGMA * noise).astype(np.float32)
    with keras.device("cpu"):
        denoised = Inference(denoiser).denoise(noisy)
    return float(-10 * np.log10(np.mean((denoised - clean) ** 2)))


def _cartoon(side, channels):
    """A disk and stripes before a shaded ground, `(1, side, side, channels)`, values on [0, 1]."""
    rows, columns, channel = np.ogrid[:side, :side, :channels]
    rows, columns = rows / side, columns / side
    ground = 0.3 + 0.3 * rows + 0.2 * columns
    stripes = 0.5 + 0.3 * np.sin(40 * (rows + columns))
    image = np.where(rows + columns > 1.3, stripes, ground) + 0 * channel
    disk = (rows - 0.4) ** 2 + (columns - 0.4) ** 2 < 0.06
    return np.where(disk, 0.9 - 0.2 * channel, image)[None]
