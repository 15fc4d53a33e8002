"""A folder tree of checkpoints as one of `.keras` files."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import keras
import numpy as np

from keras_gahr.denoisers import Inference, load_denoiser
from keras_gahr.errors import InputError
from keras_gahr.folder_tree import walk
from keras_gahr.pickles import Key

from .conversion import Conversion, convert
from .read import read_root
from .suffixes import bare_name, is_checkpoint_name, may_be_another

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


def convert_tree(
    src,
    dst,
    *,
    first_layer=None,
    weights=None,
    norm=None,
    predicts=None,
    overwrite=False,
    progress=lambda done, total: None,
):
    """Converts every checkpoint in a folder and the folders in it.

    Checkpoints are `.pt`, `.pth`, `.ckpt`, `.bin`, `.tar` and `.pth.tar` files, in upper case too. A
    file that cannot be converted does not stop the others; files of other names, `.bin` and `.tar`
    files of other kinds, hidden ones and what is no file are passed over. Links to folders are followed,
    each folder is read once: see `walk`.

    Args:
        src: the folder.
        dst: the folder for the `.keras` files, which lie there as the checkpoints do in `src`.
            Where two checkpoints differ in their suffix only, the names keep it: `a.pth.keras`.
        first_layer, weights, norm, predicts, overwrite: see `convert`.
        progress: called with (checkpoints done, checkpoints in all).

    Returns:
        A list of `TreeItem`, sorted by name, of everything in the tree but its folders.

    Raises:
        InputError: if `src` is no folder or has no checkpoint, or if `dst` is a file.
    """
    src, dst = Path(src), Path(dst)
    if not src.is_dir():
        raise InputError(f"{src} is not a folder: give one with PyTorch checkpoints (.pt) in it")
    if dst.exists() and not dst.is_dir():
        raise InputError(f"{dst} is not a folder: give one for the .keras files")
    files, passed_over, unreadable = walk(src)
    names = [name for name in map(PurePosixPath, files) if is_checkpoint_name(name)]
    if not names:
        raise InputError(f"{src} has no PyTorch checkpoint (.pt, .pth, .ckpt, .bin, .tar) in it")
    passed_over |= dict.fromkeys({*files} - {*map(str, names)}, "no checkpoint by its name")
    items = [TreeItem(name, note=note) for name, note in passed_over.items()]
    items += [TreeItem(name, error=error) for name, error in unreadable.items()]
    outputs = _outputs(names)
    options = {
        "first_layer": first_layer,
        "weights": weights,
        "norm": norm,
        "predicts": predicts,
        "overwrite": overwrite,
    }
    for done, name in enumerate(names):
        progress(done, len(names))
        items.append(_convert(src / name, name, dst / outputs[name], options))
    progress(len(names), len(names))
    return sorted(items, key=lambda item: item.name)


def _outputs(names):
    """A dictionary from the name of each checkpoint to that of its `.keras` file."""
    # Some file systems take no notice of upper case.
    counts = Counter(str(bare_name(name)).casefold() for name in names)
    bare = {
        name: name if counts[str(bare_name(name)).casefold()] > 1 else bare_name(name)
        for name in names
    }
    return {name: stem.with_name(f"{stem.name}.keras") for name, stem in bare.items()}


def _convert(path, name, out, options):
    item = TreeItem(str(name))
    try:
        root = _root(path)
        if root is None and may_be_another(name):
            return replace(item, note="another kind of file")
        if _is_psnr_record(root):
            return replace(item, note="holds PSNR values, no weights")
        conversion = convert(path, out, **options)
        return replace(item, conversion=conversion, psnr=_psnr(load_denoiser(out)))
    except InputError as error:
        return replace(item, error=str(error))
    except OSError as error:
        return replace(item, error=f"{error.filename or path}: {error.strerror or error}")


def _root(path):
    """What is at the root of a checkpoint, or None if it cannot be read as one."""
    try:
        with path.open("rb") as file:
            return read_root(file)[0]
    except InputError:
        return None


def _is_psnr_record(root):
    """Whether a value is what trainers write beside the weights: {sigma: [PSNR, ...]}."""
    return (
        type(root) is dict
        and len(root) > 0
        and all(
            type(sigma) is Key and type(sigma.value) in (int, float) and type(values) is list
            for sigma, values in root.items()
        )
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
