"""Restored images on disk."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

import keras_gahr
from keras_gahr.datasets.image_files import write_image
from keras_gahr.errors import InputError
from keras_gahr.files import check_output_folder, replacing, replacing_folder
from keras_gahr.json_file import write_json
from keras_gahr.names import printable
from keras_gahr.result import save_figures

if TYPE_CHECKING:
    from .averages import Restoration

CONTENTS = ("restoration.json", "restoration.csv")
"""What a folder of restorations holds beside a folder for each image."""

JOURNAL = "journal.jsonl"
"""What an unfinished one holds too."""


def check_restoration_output(
    out: str | Path, names: Sequence[str], overwrite: bool = False
) -> Path:
    """The folder, if restorations of images with these names may be written there.

    Raises:
        InputError: if not, or if an image is called like one of our files.

    Examples:
        >>> from keras_gahr.restoration import check_restoration_output
        >>> check_restoration_output("a-new-folder", ["face"]).name
        'a-new-folder'
    """
    folders = {str(folder) for name in names for folder in PurePosixPath(name).parents}
    if taken := {*names, *folders} & {*CONTENTS, JOURNAL}:
        raise InputError(f"an image would be called {taken.pop()}, as a file of ours: rename it")
    if taken := {*names} & folders:
        raise InputError(
            f"{taken.pop()} would be both an image and a folder of images: rename one of them"
        )
    contents = (*names, *CONTENTS)
    return check_output_folder(out, overwrite, known_by="restoration.json", contents=contents)


def save_restorations(
    restorations: Sequence[Restoration],
    folder: str | Path,
    *,
    overwrite: bool = False,
    figures: str = "png",
    **facts: Any,
) -> Path:
    """Writes what `gahr restore` does: a folder with a folder for each image, restoration.csv and
    restoration.json.

    Args:
        restorations: of images with different names; see `write_restoration` for what is written.
        folder: written whole or not at all.
        overwrite: whether to replace restorations that are there; nothing else is ever replaced.
        figures: format of the figures: "png", "pdf" or "svg".
        **facts: more entries for restoration.json.

    Returns:
        The folder.

    Raises:
        InputError: if it exists, if two images have one name, or if it cannot be written.

    Examples:
        >>> import tempfile, numpy as np
        >>> from keras_gahr.restoration import Restoration, save_restorations
        >>> image = np.full((8, 8, 1), 0.5)
        >>> face = Restoration("face", image, image, image, image[None], ("converged",))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = save_restorations([face], f"{folder}/out")
        ...     sorted(path.name for path in made.iterdir())
        ['face', 'restoration.csv', 'restoration.json']
    """
    names = [restoration.name for restoration in restorations]
    if len(names) != len(set(names)):
        raise InputError(f"received two images called {max(names, key=names.count)}: rename one")
    folder = check_restoration_output(folder, names, overwrite)
    report = {
        "package": f"keras-gahr {keras_gahr.__version__}",
        "backend": keras.backend.backend(),
        **(restorations[0].settings if restorations else {}),
        **facts,
    }
    with replacing_folder(folder, overwrite) as made:
        for restoration in restorations:
            write_restoration(made / restoration.name, restoration)
            save_figures(restoration, made / restoration.name, figures)
        write_restoration_report(
            made, [row_of(restoration) for restoration in restorations], {}, report
        )
    return folder


def row_of(restoration: Restoration, channels: str | None = None) -> dict[str, Any]:
    """What restoration.csv says of one image.

    Args:
        channels: what was done with them; see `keras_gahr.restoration.inputs.Problem`.
    """
    counts = {
        status: restoration.status.count(status)
        for status in ("converged", "max_steps", "diverged", "noise_unseen")
    }
    name = printable(restoration.name)
    return {"name": name, "channels": channels, **counts, **restoration.quality()}


def write_restoration_report(folder, rows, left_out, facts):
    """Writes restoration.csv and restoration.json into a folder.

    Args:
        rows: of `row_of`.
        left_out: from names to reasons.
        facts: other entries of restoration.json.
    """
    write_table(folder / "restoration.csv", rows)
    left_out = [{"name": printable(name), "reason": reason} for name, reason in left_out.items()]
    write_json(folder / "restoration.json", {**facts, "images": rows, "left_out": left_out})


def write_restoration(folder, restoration, draw=None):
    """Writes a folder for one image: every image as `.npy` and `.png`.

    samples.npy has all samples, those that diverged too. The picture of the deviation is white where
    it is largest.

    Args:
        folder: one that an interrupted run left is removed first.
        restoration: a `Restoration`, what is observed of which is shown if it is a picture.
        draw: None, or called as draw(folder, restoration, observed), a picture or None, to add figures.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pictures = {**restoration.images, "deviation": _stretched(restoration.deviation)}
    arrays = {
        **restoration.images,
        "deviation": restoration.deviation,
        "measurement": restoration.observed,
        "samples": restoration.samples,
    }
    if restoration.clean is not None:
        pictures["clean"] = arrays["clean"] = restoration.clean
    if restoration.picture is not None:
        pictures["measurement"] = restoration.observed
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    for name, picture in pictures.items():
        write_image(folder / f"{name}.png", np.nan_to_num(picture))
    if draw:
        draw(folder, restoration, restoration.picture)


def write_table(path, rows):
    """Writes rows, dictionaries with the same keys, as comma-separated values; None is empty."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _stretched(image):
    """The image divided by its largest value."""
    largest = np.max(np.nan_to_num(image))
    return image / largest if largest > 0 else image
