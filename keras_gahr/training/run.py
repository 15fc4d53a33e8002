"""A training from start to end, in a run directory."""

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import tempfile
from pathlib import Path

import keras
import numpy as np

import keras_gahr
from keras_gahr.datasets.arrays import blocks
from keras_gahr.errors import InputError
from keras_gahr.files import (
    check_output_folder,
    locked,
    remove_leftovers,
    replacing,
    replacing_folder,
)
from keras_gahr.json_file import read_json

from .conditions import check_conditions, goes_on_device
from .devices import check_shares, data_parallel
from .keras_settings import keras_in_float32
from .session import Session
from .state import damaged, largest_state, read_state
from .whereabouts import path_from_run

FILES = (
    "config.json",
    "status.json",
    "model.keras",
    "state.safetensors",
    "history.csv",
    "levels.csv",
    "events",
    "curves.png",
    "levels.png",
    "denoising.png",
)
"""All that a run directory may hold."""

_LONGEST_STATUS = 2**16


def check_run_output(out, overwrite=False):
    """The run directory, if a training may write it; else raises `InputError`."""
    out = Path(out)
    if not overwrite and os.path.isfile(out / "state.safetensors"):
        raise InputError(
            f"{out} exists and holds a run: `gahr train --resume {out}` goes on with it, --overwrite "
            "replaces it"
        )
    return check_output_folder(out, overwrite, known_by="config.json", contents=FILES)


def train(
    denoiser,
    train_images,
    test_images,
    settings,
    out,
    *,
    data=None,
    options=None,
    overwrite=False,
    resume=False,
    console=None,
    state_seconds=300.0,
    data_on_device=None,
    after_epoch=None,
):
    """Trains a denoiser and keeps it in a run directory.

    The directory gets config.json at the start, and model.keras, history.csv, levels.csv, event files
    and the state after each epoch. A SIGINT, a SIGTERM or the end of the terminal ends the training
    after the current step, with the model and the state kept. A training that was stopped or killed goes
    on from its last state as if nothing had happened.

    Args:
        denoiser: a `Denoiser`; it is changed.
        train_images: array `(count, height, width, channels)`, uint8 or float32 on [0, 1].
        test_images: the same, disjoint from `train_images`; may be empty.
        settings: `TrainingSettings`.
        out: run directory; new, unless `resume`.
        data: a description of the images for config.json.
        options: what the command line was asked for, for config.json. Both stay as they were if a run
            goes on without them.
        overwrite: whether `out` may be an older run, which is removed first.
        resume: whether to go on with the run in `out`: with the same settings (but perhaps more
            epochs), the same images and the same kind of denoiser, whose weights are replaced.
        console: a rich console for progress, or None.
        state_seconds: time between two states within an epoch.
        data_on_device: whether the training images are held on the device (see `DeviceImages`); by
            default what `goes_on_device` says. The training is the same, also if it goes on the
            other way.
        after_epoch: a function of the `TrainingResult` so far, called after each epoch.

    Returns:
        `TrainingResult`.

    Raises:
        InputError: for what `check_conditions` refuses, if the run directory may not be written, or
            if the run in it cannot go on like this.
    """
    check_conditions(denoiser, train_images, test_images, settings, data_on_device)
    identity = _identity(denoiser, settings, train_images, test_images)
    with data_parallel(settings.devices) as shared, contextlib.ExitStack() as stack:
        stack.enter_context(keras_in_float32())
        check_shares(settings.batch_size, shared.count)
        data_on_device = goes_on_device(denoiser, train_images, settings, data_on_device)
        # All processes must run the same program, however much memory is free in each.
        data_on_device = not shared.any_process(not data_on_device)
        kept, before = None, {}
        if shared.is_first:
            if resume:
                out = check_run_to_resume(out)
                before = _read_config(out / "config.json")
            config = _config(denoiser, settings, out, data, options, before)
            if not resume:
                out = _new_folder(out, overwrite, config)
            folder = out
            stack.enter_context(locked(out))
            remove_leftovers(out, FILES)
        else:
            # All processes do the same, but only what the first one writes is kept.
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if resume:
            values = sum(math.prod(variable.shape) for variable in denoiser.variables)
            kept = read_state(Path(out) / "state.safetensors", largest_state(values))
            _check_identity(out, kept[1], identity, (data or {}).get("dataset"))
        session = Session(
            shared,
            denoiser,
            train_images,
            test_images,
            settings,
            folder,
            identity,
            console=console if shared.is_first else None,
            state_seconds=state_seconds,
            data_on_device=data_on_device,
            after_epoch=after_epoch if shared.is_first else None,
        )
        if kept is not None:
            session.restore(*kept)
        # The first process must not write before the others have read.
        shared.any_process(False)
        if shared.is_first and resume:
            _write_config(folder, config)
        return session.run()


def _new_folder(out, overwrite, config):
    """Makes the run directory; from the first moment it has the file by which it is known as ours."""
    out = check_run_output(out, overwrite)
    nobody_else = locked(out) if out.exists() else contextlib.nullcontext()
    with nobody_else, replacing_folder(out, overwrite) as folder:
        _write_config(folder, config)
    return out


def check_run_to_resume(out):
    """The run directory, if its training may go on; else raises `InputError`."""
    out = Path(out)
    if not (out / "config.json").is_file():
        raise InputError(f"{out} holds no run, expected a folder that `gahr train` made")
    if not os.access(out, os.R_OK | os.W_OK | os.X_OK):
        raise InputError(
            f"{out} is not writable, and a run that goes on writes there: copy it first"
        )
    status = out / "status.json"
    if status.is_file():
        with open(status, errors="replace") as file:
            diverged = '"diverged"' in file.read(_LONGEST_STATUS)
        if diverged:
            raise InputError(
                f"{out} diverged and would again: start anew with a smaller learning rate"
            )
    return out


def _identity(denoiser, settings, train_images, test_images):
    """What a training and the state it goes on from must share, as plain values."""
    training = dataclasses.asdict(settings)
    if settings.schedule in {"halving", "constant"}:
        # These do not depend on the number of epochs, so that there may be more of them.
        del training["epochs"]
    network = denoiser.get_config()
    for name in ("name", "provenance"):
        network.pop(name, None)
    identity = {
        "backend": keras.backend.backend(),
        "denoiser": {"class": type(denoiser).__name__, **network},
        "training": training,
        "images": {
            "training images": _fingerprint(train_images),
            "test images": _fingerprint(test_images),
        },
    }
    # As it is read back: tuples become lists.
    return json.loads(json.dumps(identity))


def _fingerprint(images):
    digest = hashlib.sha256(f"{images.dtype}{images.shape}".encode())
    for block in blocks(images):
        digest.update(np.ascontiguousarray(block))
    return digest.hexdigest()


def _check_identity(out, record, now, dataset=None):
    before = record.get("identity") if isinstance(record, dict) else None
    if not isinstance(before, dict) or before.keys() != now.keys():
        raise damaged(out / "state.safetensors", "it does not say what it is the state of")
    for part in now:
        old, new = (
            part_of if isinstance(part_of, dict) else {part: part_of}
            for part_of in (before[part], now[part])
        )
        for name in sorted({*old, *new}):
            if old.get(name) == new.get(name):
                continue
            if part == "images":
                raise InputError(
                    f"{out} was started with other {name}: of SHA-256 {old.get(name):.12}, received "
                    f"{new[name]:.12}{f' from {dataset}' if dataset else ''}; go on with the same "
                    f"(`gahr train --resume {out} --dataset PLACE` if they were moved), or start anew"
                )
            raise InputError(
                f"{out} was started with other {name} ({part}): it had {old.get(name)}, received "
                f"{new.get(name)}; go on with the same, or start anew"
            )


def _read_config(path):
    config = read_json(path, "the config.json of a run")
    if not isinstance(config, dict):
        raise InputError(f"{path} is damaged (no JSON object): put back a copy of it")
    return config


def _config(denoiser, settings, out, data, options, before):
    """The content of config.json; data and options that are not given stay as they were before."""
    place = before.get("dataset_from_run")
    if options:
        place = path_from_run(options.get("dataset"), out)
    return {
        "options": options or before.get("options") or {},
        "dataset_from_run": place,
        "denoiser": {"class": type(denoiser).__name__, **denoiser.get_config()},
        "training": dataclasses.asdict(settings),
        "data": data or before.get("data") or {},
        "versions": {"keras_gahr": keras_gahr.__version__, "keras": keras.__version__},
        "backend": keras.backend.backend(),
    }


def _write_config(folder, config):
    with replacing(folder / "config.json") as temporary:
        temporary.write_text(json.dumps(config, indent=2, allow_nan=False) + "\n")
