"""The densities of many images, block by block, which a call that was stopped leaves to the next one."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import keras_gahr
from keras_gahr.datasets.arrays import sha256_of
from keras_gahr.datasets.journal import Journal
from keras_gahr.errors import InputError
from keras_gahr.files import kind_of, locked
from keras_gahr.progress import share

from ..harm import NO_GOOD
from .own_noise import own_noise
from .result import LogDensity
from .run import log_density

_BLOCK = 16
"""Images that are finished together: what a stopped call keeps."""

_OF_IMAGES = ("log_density", "standard_error", "reach", "evaluations", "errors")
"""What a `LogDensity` holds of each image."""


@contextlib.contextmanager
def kept_densities(path: Path, **options: Any) -> Iterator[KeptDensities]:
    """`KeptDensities` in a file, which is removed at the end unless it was stopped.

    Args:
        path: of the file; one process at a time may have it.
        options: of `log_density`.

    Raises:
        InputError: if something else is there, or another process has it.
    """
    if (kind := kind_of(path)) not in {"file", "missing"}:
        raise InputError(f"{path} is a {kind}: remove it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    with locked(path):
        journal = Journal(path, {"package": f"keras-gahr {keras_gahr.__version__}", **options})
        kept, stopped = KeptDensities(journal, options), True
        try:
            yield kept
            stopped = False
        finally:
            journal.close()
            # Of a mistake nothing is left.
            if not stopped or not kept.blocks:
                path.unlink()


class KeptDensities:
    """Densities that are kept in a journal until all is done.

    What it finds there counts only if it is whole, and of the same denoiser, images and options, all known
    by their SHA-256.

    Args:
        journal: a `Journal`.
        options: of `log_density`.

    Attributes:
        blocks: of images that are done.
    """

    def __init__(self, journal: Journal, options: dict[str, Any]) -> None:
        self._journal = journal
        self._options = options
        self.blocks = 0

    def of(
        self,
        denoiser: Any,
        images: np.ndarray,
        like: LogDensity | None = None,
        *,
        asymmetry: int = 0,
        batch_size: int = 32,
        progress: Callable[[float, float], object],
    ) -> LogDensity:
        """The `LogDensity` of all images.

        Args:
            denoiser: a `Denoiser`.
            images: (N, H, W, C).
            like: what was found of other images that these are to be compared with.
            asymmetry, batch_size, progress: of `log_density`.
        """
        options = dict(self._options)
        if like is not None:
            options |= {"dequantize": like.dequantization, "sigmas": like.sigmas}
        options["dequantize"] = own_noise(images, options.get("dequantize"))
        model, parts = denoiser.fingerprint(), []
        for start in range(0, len(images), _BLOCK):
            block = np.ascontiguousarray(images[start : start + _BLOCK])
            options["asymmetry"] = 0 if parts else asymmetry
            key = sha256_of(model, block, start, sorted(options.items()))
            found = _from_entry(self._journal.next(key))
            if found is not None:
                self._journal.accept()
            else:
                part = share(progress, start // _BLOCK, -(-len(images) // _BLOCK))
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", NO_GOOD, UserWarning)
                    found = log_density(
                        denoiser,
                        block,
                        first=start,
                        batch_size=batch_size,
                        progress=part,
                        **options,
                    )
                self._journal.add(key=key, **_as_entry(found))
            self.blocks += 1
            parts.append(found)
            # Densities are to be compared: at the noise levels of the first block.
            options["sigmas"] = found.sigmas
        joined = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in _OF_IMAGES
        }
        result = dataclasses.replace(parts[0], **joined)
        if like is None:
            # Others need not be of this law.
            result.warn_of_harm()
        return result


def _as_entry(found):
    values = dataclasses.asdict(found)
    values |= {name: values[name].tolist() for name in _OF_IMAGES}
    return {"found": values, "sha256": sha256_of(json.dumps(values))}


def _from_entry(entry):
    """The `LogDensity` of an entry; None if there is none, or if it is of no use."""
    if entry is None or entry.get("sha256") != sha256_of(json.dumps(entry.get("found"))):
        return None
    values = entry["found"]
    if not values.keys() >= {*_OF_IMAGES, "levels"}:
        return None  # Of an earlier version.
    own = values.get("dequantization")
    if values.get("method") == "flow" and own and not math.isclose(values["sigmas"][0], own):
        # Of an earlier version, too, which said other levels than it had used.
        return None
    arrays = {name: np.array(values[name]) for name in _OF_IMAGES}
    tuples = {name: tuple(values[name]) for name in ("sigmas", "levels")}
    return LogDensity(**{**values, **arrays, **tuples})
