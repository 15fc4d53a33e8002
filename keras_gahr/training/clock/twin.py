"""How alike two trainings on different images are, at the same steps."""

from __future__ import annotations

import dataclasses
import math
import warnings
from pathlib import Path

import numpy as np

from keras_gahr.analysis.intervals import mean_interval
from keras_gahr.analysis.similarity import paired_similarity
from keras_gahr.errors import InputError
from keras_gahr.files import replacing

from .look import Look

FOLDER = "clock"
"""Of the samples of all looks, in a run directory."""

_NAME = "step_{:012d}.npy"


def twin_agreement(own: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """Mean correlation of samples with those of a twin from the same noise, with its interval.

    Args:
        own: (N, H, W, C); a sample that diverged is NaN.
        others: (M, H, W, C); of N and M the smaller number is compared.

    Returns:
        The columns `twins`, `twins_low` and `twins_high` of a `Look`; none without a pair.
    """
    count = min(len(own), len(others))
    own, others = own[:count], others[:count]
    paired = np.isfinite(own).all(axis=(1, 2, 3)) & np.isfinite(others).all(axis=(1, 2, 3))
    if not paired.any():
        return {}
    values = paired_similarity(own[paired], others[paired], "correlation")
    low, high = mean_interval(values)
    return {"twins": float(values.mean()), "twins_low": low, "twins_high": high}


class KeptSamples:
    """The samples of all looks at a run, in its directory, as float16: about 1e-3 of a pixel value.

    Args:
        run: the run directory.
        shape: of an image, `(height, width, channels)`.
    """

    def __init__(self, run: Path, shape: tuple[int, ...]) -> None:
        self.folder = run / FOLDER
        self.shape = shape

    def write(self, step: int, samples: np.ndarray) -> None:
        """Keeps the samples of a look."""
        self.folder.mkdir(exist_ok=True)
        with (
            replacing(self.folder / _NAME.format(step)) as temporary,
            open(temporary, "wb") as file,
        ):
            np.save(file, samples.astype(np.float16), allow_pickle=False)

    def read(self, step: int) -> np.ndarray | None:
        """The samples of a look, float32; None if there was none.

        Raises:
            InputError: if the file is damaged.
        """
        path = self.folder / _NAME.format(step)
        if not path.is_file():
            return None
        try:
            # As a memory map, which is as large as the file and no larger.
            found = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(
                f"{path} cannot be read: expected the samples of a look; remove it"
            ) from error
        if found.dtype != np.float16 or found.shape[1:] != self.shape:
            raise InputError(
                f"{path} holds {found.dtype} {found.shape}, expected float16 images of "
                f"{'x'.join(map(str, self.shape))}: a twin has images of the same size"
            )
        return np.array(found, np.float32)


def with_twin(look: Look, own: KeptSamples, twin: KeptSamples) -> Look:
    """The `Look` with the agreement of its samples with the twin's, as soon as both are kept.

    Warns:
        UserWarning: if a file is damaged, which is no reason to end a training.
    """
    if not math.isnan(look.twins):
        return look
    try:
        samples, others = own.read(look.step), twin.read(look.step)
    except InputError as error:
        warnings.warn(str(error), stacklevel=2)
        return look
    if samples is None or others is None:
        return look
    return dataclasses.replace(look, **twin_agreement(samples, others))
