"""A training from start to end, in a run directory."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np
import rich.console

import keras_gahr
from keras_gahr import _backend
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.files import (
    locked,
    remove_leftovers,
    replacing,
    replacing_folder,
)
from keras_gahr.json_file import read_json

from .clock.settings import ClockSettings
from .conditions import check_conditions, goes_on_device
from .devices.data_parallel import check_shares, data_parallel
from .keras_settings import keras_in_float32
from .result import TrainingResult
from .resume.identity import check_identity, identity_of
from .resume.state import largest_state, read_state
from .resume.whereabouts import path_from_run
from .run_folder import FILES, check_path, check_run_output, check_run_to_resume
from .session import Session
from .settings import TrainingSettings
from .tracking.tracker import TrackedRun, Tracker

_Kind = TypeVar("_Kind")

STATE_SECONDS = 300.0
"""Between two states that a run keeps within an epoch."""


def run_training(
    denoiser: DenoiserLike,
    train_images: np.ndarray,
    test_images: np.ndarray,
    settings: TrainingSettings,
    out: str | Path,
    *,
    data: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    console: rich.console.Console | None = None,
    state_seconds: float = STATE_SECONDS,
    data_on_device: bool | None = None,
    after_epoch: Callable[[TrainingResult], object] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.Callback | None = (),
    clock: ClockSettings | None = None,
    trackers: Sequence[Tracker] | Tracker | None = (),
    label: str | None = None,
) -> TrainingResult:
    """Trains a denoiser and keeps it in a run directory.

    The directory gets config.json at the start, and model.keras, history.csv, levels.csv, event files
    and the state after each epoch. A SIGINT, a SIGTERM or the end of the terminal ends the training
    after the current step, with the model and the state kept. A training that was stopped or killed goes
    on from its last state as if nothing had happened.

    Args:
        denoiser: see `as_denoiser`; it is changed.
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
        callbacks: further `keras.callbacks.Callback`s, which see the training as `fit` shows it. One
            that sets `stop_training` ends it with "early stop".
        clock: whether and how closely to look for memorization, see `ClockSettings`; default: not.
        trackers: `Tracker`s that follow the run, or go on to.
        label: what they call it; default: the name of the run directory.

    Returns:
        `TrainingResult`.

    Raises:
        InputError: for what `check_conditions` refuses, if the run directory may not be written, or
            if the run in it cannot go on like this.

    Examples:
        >>> import keras_gahr as kg, numpy as np, tempfile
        >>> images = np.random.default_rng(0).random((6, 8, 8, 1), np.float32)
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=2)
        >>> settings = kg.training.TrainingSettings(epochs=1, images_per_epoch=4, batch_size=4)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result = kg.training.run_training(
        ...         denoiser, images[:4], images[4:], settings, f"{folder}/run"
        ...     )
        >>> result.denoiser is denoiser, "train_psnr" in result.history[0]
        (True, True)
    """
    callbacks = several(callbacks, keras.callbacks.Callback, "keras.callbacks.Callback")
    trackers = several(trackers, Tracker, "keras_gahr.training.Tracker")
    out, denoiser = check_path(out), as_denoiser(denoiser)
    # A run that goes on has its plan of looks.
    planned = None if resume else clock
    check_conditions(denoiser, train_images, test_images, settings, data_on_device, planned)
    identity = identity_of(denoiser, settings, train_images, test_images, clock)
    with data_parallel(settings.devices) as shared, contextlib.ExitStack() as stack:
        stack.enter_context(keras_in_float32())
        stack.enter_context(_backend.with_gradients(denoiser))
        check_shares(settings.batch_size, shared.count)
        data_on_device = goes_on_device(denoiser, train_images, settings, data_on_device)
        # All processes must run the same program, however much memory is free in each.
        data_on_device = not shared.any_process(not data_on_device)
        kept, before, config, tracked = None, {}, {}, None
        with _agreed(shared):
            if shared.is_first:
                if resume:
                    out = check_run_to_resume(out)
                    before = _read_config(out / "config.json")
                config = _config(denoiser, settings, out, data, options, before)
                tracked = TrackedRun(label or Path(out).resolve().name, _tracked_config(config))
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
                check_identity(out, kept[1], identity, (data or {}).get("dataset"))
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
            callbacks=callbacks,
            clock=clock,
            trackers=trackers if shared.is_first else (),
            tracked=tracked,
            begun=None if kept is None else kept[1],
        )
        if kept is not None:
            session.restore(*kept)
        # The first process must not write before the others have read.
        shared.any_process(False)
        if shared.is_first and resume:
            _write_config(folder, config)
        return session.run()


@contextlib.contextmanager
def _agreed(shared):
    """Within it one process may fail; then all do, who would otherwise wait for it."""
    error = None
    try:
        yield
    except Exception as found:
        error = found
    if shared.any_process(error is not None):
        raise error or InputError("another process of this training cannot begin, and says why")


def several(given: Any, kind: type[_Kind], called: str) -> list[_Kind]:
    """What was given of a kind: several, one or none of them, as a list.

    Args:
        given: a sequence, one, or None.
        kind: the class of each.
        called: what errors call it.

    Raises:
        InputError: for anything else.
    """
    if given is None:
        return []
    parts = list(given) if isinstance(given, list | tuple) else [given]
    for each in parts:
        if not isinstance(each, kind):
            raise InputError(f"received {each!r:.80}, expected a {called}")
    return parts


def _new_folder(out, overwrite, config):
    """Makes the run directory; from the first moment it has the file by which it is known as ours."""
    out = check_run_output(out, overwrite)
    nobody_else = locked(out) if out.exists() else contextlib.nullcontext()
    with nobody_else, replacing_folder(out, overwrite) as folder:
        _write_config(folder, config)
    return out


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


def _tracked_config(config):
    """What trackers are told of a config.json, in one level, without places on this machine."""
    network = {name: value for name, value in config["denoiser"].items() if name != "provenance"}
    data = {name: value for name, value in config["data"].items() if name != "dataset"}
    parts = {
        **config["training"],
        "network": network,
        "data": data,
        "versions": config["versions"],
        "backend": config["backend"],
    }
    return dict(_flat(parts))


def _flat(parts, before=""):
    for name, value in parts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, bool | int | float | str):
            yield f"{before}{name}", value
        elif value is not None:
            yield f"{before}{name}", str(value)


def _write_config(folder, config):
    with replacing(folder / "config.json") as temporary:
        temporary.write_text(json.dumps(config, indent=2, allow_nan=False) + "\n")
