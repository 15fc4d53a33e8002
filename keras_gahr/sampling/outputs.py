"""Samples on disk."""

import dataclasses
import json

import numpy as np

import keras_gahr
from keras_gahr.datasets.image_files import contact_sheet, write_image
from keras_gahr.files import check_output_folder, replacing_folder
from keras_gahr.names import encodable

from .multi_scale import MultiScaleSamples
from .trajectory import TRAJECTORY_FILES


def save_samples(samples, out, schedule, *, trajectory=None, overwrite=False, **facts):
    """Writes a folder with samples.png (a sheet of all), samples.npy and sampling.json.

    Args:
        samples: `Samples` or `MultiScaleSamples`.
        out: the folder, written whole or not at all.
        schedule: the one used.
        trajectory: a finished `Trajectory`, whose files are written too.
        overwrite: whether to replace samples that are there; nothing else is ever replaced.
        **facts: more entries for sampling.json, such as the seed.
    """
    finite = np.nan_to_num(samples.images, posinf=1, neginf=0)
    report = {
        "package": f"keras-gahr {keras_gahr.__version__}",
        **facts,
        "schedule": dataclasses.asdict(schedule),
        "images": _endings(samples),
    }
    if isinstance(samples, MultiScaleSamples):
        report["levels"] = {
            name: _endings(level) for name, level in zip(samples.names, samples.levels, strict=True)
        }
    with replacing_folder(check_samples_output(out, overwrite), overwrite) as folder:
        np.save(folder / "samples.npy", samples.images)
        write_image(folder / "samples.png", contact_sheet(finite, columns=_columns(len(finite))))
        if trajectory is not None:
            trajectory.save(folder)
        (folder / "sampling.json").write_text(
            json.dumps(encodable(report), indent=1, allow_nan=False) + "\n"
        )


def _endings(samples):
    """How each image ended, for JSON."""
    return [
        {
            "status": status,
            "steps": int(steps),
            "sigma": _json_number(sigma),
            "first_sigma": _json_number(first),
        }
        for status, steps, sigma, first in zip(
            samples.status, samples.steps, samples.sigma, samples.first_sigma, strict=True
        )
    ]


def _json_number(value):
    """A float that JSON can hold: None for NaN and infinity."""
    return float(value) if np.isfinite(value) else None


def check_samples_output(out, overwrite=False):
    """The folder, if `save_samples` may write it; else raises `InputError`."""
    contents = ("samples.npy", "samples.png", "sampling.json", *TRAJECTORY_FILES)
    return check_output_folder(out, overwrite, known_by="sampling.json", contents=contents)


def _columns(count):
    """As many columns as make the sheet nearly square."""
    return int(np.ceil(np.sqrt(count)))
