"""Restored images on disk."""

import csv
import shutil
from pathlib import PurePosixPath

import numpy as np

from keras_gahr.datasets.image_files import write_image
from keras_gahr.errors import InputError
from keras_gahr.files import check_output_folder, replacing

CONTENTS = ("restoration.json", "restoration.csv")
"""What a folder of restorations holds beside a folder for each image."""

JOURNAL = "journal.jsonl"
"""What an unfinished one holds too."""


def check_restoration_output(out, names, overwrite=False):
    """The folder, if restorations of images with these names may be written there.

    Raises:
        InputError: if not, or if an image is called like one of our files.
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


def write_restoration(folder, restoration, measurement, draw=None):
    """Writes a folder for one image: every image as `.npy` and `.png`.

    samples.npy has all samples, those that diverged too. The picture of the deviation is white where
    it is largest.

    Args:
        folder: one that an interrupted run left is removed first.
        restoration: a `Restoration`.
        measurement: the `Measurement`, whose observation is shown if it is a picture.
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
    if measurement.gives_pictures:
        pictures["measurement"] = restoration.observed
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    for name, picture in pictures.items():
        write_image(folder / f"{name}.png", np.nan_to_num(picture))
    if draw:
        draw(folder, restoration, restoration.observed if measurement.gives_pictures else None)


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
