"""Samples on disk."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from keras_gahr.datasets.image_files import contact_sheet, write_image
from keras_gahr.files import replacing_folder


def save_samples(samples, out, schedule, **facts):
    """Writes a folder with samples.png (a sheet of all), samples.npy and sampling.json.

    Args:
        samples: `Samples`.
        out: the folder; an old one is replaced, whole or not at all.
        schedule: the `AscentSchedule` used.
        **facts: more entries for sampling.json, such as the seed.
    """
    finite = np.nan_to_num(samples.images, posinf=1, neginf=0)
    report = {
        **facts,
        "schedule": dataclasses.asdict(schedule),
        "images": [
            {"status": status, "steps": int(steps), "sigma": _json_number(sigma)}
            for status, steps, sigma in zip(
                samples.status, samples.steps, samples.sigma, strict=True
            )
        ],
    }
    with replacing_folder(Path(out)) as folder:
        np.save(folder / "samples.npy", samples.images)
        write_image(folder / "samples.png", contact_sheet(finite, columns=_columns(len(finite))))
        (folder / "sampling.json").write_text(json.dumps(report, indent=1) + "\n")


def _json_number(value):
    """A float that JSON can hold: None for NaN and infinity."""
    return float(value) if np.isfinite(value) else None


def _columns(count):
    """As many columns as make the sheet nearly square."""
    return int(np.ceil(np.sqrt(count)))
