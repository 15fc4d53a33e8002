"""Samples on disk."""

import dataclasses

import numpy as np

import keras_gahr
from keras_gahr.datasets.image_files import contact_sheet, write_image
from keras_gahr.json_file import write_json

SAMPLES = ("sampling.json", "samples.npy", "samples.png")
"""Files of samples."""


def write_samples(samples, folder, facts):
    """Writes the files of `Samples` or `MultiScaleSamples` into a folder.

    Args:
        facts: more entries for sampling.json.
    """
    finite = np.nan_to_num(samples.images, posinf=1, neginf=0)
    report = {
        "package": f"keras-gahr {keras_gahr.__version__}",
        **samples.facts,
        **facts,
        "schedule": samples.schedule and dataclasses.asdict(samples.schedule),
        "images": _endings(samples),
    }
    if levels := getattr(samples, "levels", ()):
        report["levels"] = {
            name: _endings(level) for name, level in zip(samples.names, levels, strict=True)
        }
    np.save(folder / "samples.npy", samples.images)
    write_image(folder / "samples.png", contact_sheet(finite, columns=_columns(len(finite))))
    if samples.trajectory is not None:
        samples.trajectory.save(folder)
    write_json(folder / "sampling.json", report)


def _endings(samples):
    """How each image ended, for JSON."""
    return [
        {
            "status": status,
            "steps": int(steps),
            "passes": int(passes),
            "sigma": sigma,
            "first_sigma": first,
        }
        for status, steps, passes, sigma, first in zip(
            samples.status,
            samples.steps,
            samples.passes,
            samples.sigma,
            samples.first_sigma,
            strict=True,
        )
    ]


def _columns(count):
    """As many columns as make the sheet nearly square."""
    return int(np.ceil(np.sqrt(count)))
