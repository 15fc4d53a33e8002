"""Where the images of a run lie, which may have been moved since it was started."""

import os
from pathlib import Path

from keras_gahr.datasets.manifest import LARGEST_MANIFEST
from keras_gahr.datasets.store import is_dataset
from keras_gahr.errors import InputError
from keras_gahr.json_file import read_json


def path_from_run(dataset, run):
    """The path of a dataset from its run's folder, for config.json: it holds if both are moved together.

    Args:
        dataset: path of it, or None.
        run: run directory.

    Returns:
        A string, or None without a dataset or where there is no such path (drives of Windows).
    """
    if dataset is None:
        return None
    try:
        return os.path.relpath(Path(dataset).resolve(), Path(run).resolve())
    except ValueError:
        return None


def find_dataset(run):
    """Where the dataset of a run lies now.

    It is looked for beside the run, where it is if both were moved together, and at the place that it
    had. If it lies at both, the one with the run's SHA-256 in its manifest is taken. What is found is
    not yet checked: `train` compares all images with the run's state.

    Args:
        run: run directory, with a config.json that has a dataset among its options.

    Returns:
        A `Path`, absolute.

    Raises:
        InputError: if there is none.
    """
    config = read_json(run / "config.json")
    recorded = Path(config["options"]["dataset"])
    places = [recorded]
    if isinstance(config.get("dataset_from_run"), str):
        places.insert(0, Path(os.path.normpath(run.resolve() / config["dataset_from_run"])))
    found = [place for place in dict.fromkeys(places) if os.path.exists(place)]
    if not found:
        raise InputError(
            f"{recorded} is gone, the images of {run}: if they were moved, "
            f"`gahr train --resume {run} --dataset PLACE` goes on with them"
        )
    data = config.get("data")
    expected = data.get("sha256") if isinstance(data, dict) else None
    return next((place for place in found if expected and _sha256(place) == expected), found[0])


def _sha256(place):
    """What the manifest of a dataset says of its images; None if there is no such thing."""
    if not is_dataset(place):
        return None
    manifest = read_json(place / "manifest.json", "a manifest", LARGEST_MANIFEST)
    return manifest.get("sha256") if isinstance(manifest, dict) else None
