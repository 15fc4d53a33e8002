"""Restoration of many images, going on where it was after a kill."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

import keras_gahr
from keras_gahr.datasets.arrays import sha256_of
from keras_gahr.datasets.journal import Journal
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.files import others_in, resuming_folder
from keras_gahr.noise import check_seed, check_whole, keyed_normal
from keras_gahr.sampling import (
    AscentSchedule,
    MultistepSchedule,
    NoiseLevels,
    prepare,
)
from keras_gahr.sampling.request import check_request
from keras_gahr.sampling.sampler import sampler_named

from .averages import restore_alike
from .inputs import InputImages
from .outputs import (
    CONTENTS,
    JOURNAL,
    check_restoration_output,
    row_of,
    write_restoration,
    write_restoration_report,
)


def restore_files(
    denoiser: DenoiserLike,
    images: InputImages,
    out: str | Path,
    *,
    repeat: int = 1,
    seed: int = 0,
    schedule: AscentSchedule | MultistepSchedule | NoiseLevels | None = None,
    sampler: str = "ascent",
    batch_size: int = 16,
    memory: int | None = None,
    overwrite: bool = False,
    progress: Callable[[float, float], object] = lambda done, total: None,
    draw: Callable | None = None,
    **facts: Any,
) -> list[dict[str, Any]]:
    """Restores images from measurements of them, and writes a folder for each.

    A run that was killed goes on where it was when it is started again: what it had finished is kept
    as far as the denoiser, the settings and the images are the same. A block is finished at a time,
    of as many images as fit a batch with their repeats, and at least one.

    Args:
        denoiser: see `as_denoiser`.
        images: `InputImages`.
        out: the folder to make, whole or not at all: see `write_restoration` for what it holds of
            each image. restoration.csv and restoration.json have the PSNR and SSIM of each.
        repeat, seed, schedule, sampler, batch_size, memory: see `keras_gahr.restore`.
        overwrite: whether to replace restorations that are there; nothing else is ever replaced.
        progress: called with (images done, images in all), fractions too.
        draw: called for each image as draw(folder, restoration, observed) to add figures to its folder:
            a `Restoration`, and what was observed as a picture, or None. Default: no figures.
        **facts: more entries for restoration.json.

    Returns:
        A list of dictionaries, one for each image: name, channels (see `Problem`), counts of
        "converged", "max_steps", "diverged" and "noise_unseen" samples, and the entries of
        `Restoration.quality`.

    Raises:
        InputError: if an image cannot be used, or `out` exists.

    Examples:
        >>> import keras_gahr as kg, numpy as np, tempfile
        >>> from pathlib import Path
        >>> images = np.random.default_rng(0).random((8, 8, 8))
        >>> denoiser = kg.baselines.Wiener.from_images(images)
        >>> schedule = kg.sampling.AscentSchedule(beta=1.0, sigma_end=0.5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path, out = Path(folder) / "images.npy", Path(folder) / "restored"
        ...     np.save(path, images[:2])
        ...     files = kg.restoration.InputImages([path], "super-resolution:4", channels=1)
        ...     rows = kg.restoration.restore_files(denoiser, files, out, schedule=schedule)
        ...     sorted(entry.name for entry in out.iterdir())
        ['images-0000', 'images-0001', 'restoration.csv', 'restoration.json']
        >>> rows[0]["converged"]
        1
    """
    denoiser = as_denoiser(denoiser)
    seed = check_seed(seed)
    repeat = check_whole(repeat, "repeat", 1)
    batch_size = check_whole(batch_size, "batch_size", 1)
    schedule = schedule or sampler_named(sampler).schedule()
    check_restoration_output(out, images.names, overwrite)
    settings = {
        "measurement": images.text,
        "repeat": repeat,
        "seed": seed,
        "schedule": dataclasses.asdict(schedule),
        "sampler": sampler,
        "batch_size": batch_size,
    }
    made_by = {
        "package": f"keras-gahr {keras_gahr.__version__}",
        "backend": keras.backend.backend(),
        **settings,
        **facts,
    }
    options = {
        "repeat": repeat,
        "seed": seed,
        "schedule": schedule,
        "sampler": sampler,
        "batch_size": batch_size,
    }

    # Blocks usually share a measurement, and making a sampler compiles it.
    @functools.lru_cache(1)
    def prepared(measurement):
        return prepare(
            denoiser,
            measurement.shape,
            schedule=schedule,
            measurement=measurement,
            sampler=sampler,
            memory=memory,
        )

    # A bad image at the end must not cost the work on all before it.
    for problem in images:
        _check(denoiser, problem, repeat)
    rows = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(resuming_folder(out, overwrite))
        key = made_by | {"weights": denoiser.fingerprint()}
        journal = Journal(folder / JOURNAL, key)
        stack.callback(journal.close)
        for block in _blocks(images, max(1, batch_size // repeat)):
            measurement = block[0].measurement
            seen = measurement.shape, _seen(measurement)
            block_key = [[p.name, sha256_of(p.observed, p.clean, *seen)] for p in block]
            if entry := journal.next(block_key):
                journal.accept()
                rows += entry["rows"]
            else:
                part = functools.partial(_report, progress, len(rows), len(block), len(images))
                options["prepared"] = prepared(measurement)
                new = _restore_block(denoiser, block, folder, draw, options, part)
                journal.add(key=block_key, rows=new)
                rows += new
            progress(len(rows), len(images))
        journal.remove()
        write_restoration_report(folder, rows, images.left_out, made_by)
        _remove_others(folder, {*images.names, *CONTENTS})
    return rows


def _check(denoiser, problem, repeat):
    try:
        check_request(denoiser, problem.measurement.shape, repeat)
        denoiser.check_shape((1, *problem.measurement.shape))
    except InputError as error:
        raise InputError(f"{problem.name}: {error}") from error


def _seen(measurement):
    """What is observed of some noise, which tells the measurement from others.

    Its text does not: a mask or a blur is in a file, which may have changed since.
    """
    noise = keyed_normal(0, [0], 0, measurement.shape)
    return ops.convert_to_numpy(measurement.observe(ops.convert_to_tensor(noise)))


def _report(progress, done, size, total, part, whole):
    """Tells `progress` of a part of a block of `size` images, with `done` images before it."""
    progress(done + size * part / whole, total)


def _blocks(images, size):
    """Lists of up to `size` neighbours that have one measurement."""
    block = []
    for problem in images:
        if block and (len(block) == size or problem.measurement is not block[0].measurement):
            yield block
            block = []
        block.append(problem)
    if block:
        yield block


def _restore_block(denoiser, block, folder, draw, options, progress):
    """Restores the images of a block, writes them, and returns their rows."""
    measurement = block[0].measurement
    restorations = restore_alike(
        denoiser,
        [problem.name for problem in block],
        measurement,
        np.stack([problem.observed for problem in block]),
        [problem.clean for problem in block],
        progress=progress,
        **options,
    )
    rows = []
    for problem, restoration in zip(block, restorations, strict=True):
        write_restoration(folder / restoration.name, restoration, draw)
        rows.append(row_of(restoration, problem.channels))
    return rows


def _remove_others(folder, names):
    """Removes what an interrupted run with other images left."""
    for path in [*others_in(folder, names)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
