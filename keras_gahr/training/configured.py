"""Trainings that a configuration describes: what `gahr train`, sweeps and the demo run."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import rich.console

from keras_gahr.analysis.features import as_features
from keras_gahr.errors import InputError
from keras_gahr.model_address import refuse_address
from keras_gahr.options.option import declared
from keras_gahr.options.training import NetworkOptions
from keras_gahr.pretrained.catalogue import is_model_name
from keras_gahr.psnr import SIGMAS

from .clock.plan import ClockPlan
from .clock.schedule import LogSteps
from .conditions import batches_of, check_conditions, goes_on_device, plan_of
from .config import PATHS, RunConfig, options_and_halving, read_options
from .devices.data_parallel import check_count, check_shares, is_first
from .estimate import TrainingEstimate, estimate_training
from .preparation import Preparation, prepare_training
from .result import TrainingResult
from .resume.whereabouts import find_dataset
from .run import STATE_SECONDS, run_training
from .run_folder import check_run_to_resume
from .tracking.addresses import open_trackers
from .tracking.tracker import Tracker
from .watch.levels import MOST_IMAGES


def run_config(
    config: RunConfig,
    out: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    console: rich.console.Console | None = None,
    state_seconds: float = STATE_SECONDS,
    begin: Callable[[Preparation], object] | None = None,
    after_epoch: Callable[[TrainingResult], object] | None = None,
    label: str | None = None,
) -> TrainingResult:
    """Trains what a configuration says, and keeps it in a run directory.

    Args:
        config: `RunConfig`.
        out: run directory; new, unless `resume`.
        resume, overwrite, console, state_seconds, after_epoch, label: see `run_training`.
        begin: a function of the `Preparation`, called before anything is written.

    Returns:
        `TrainingResult`.

    Raises:
        InputError: for anything that cannot be trained.

    Examples:
        >>> import keras_gahr as kg, numpy as np, tempfile
        >>> from pathlib import Path
        >>> network = {"architecture": "bf-cnn", "num_layers": 2, "num_kernels": 2}
        >>> training = {"epochs": 1, "images_per_epoch": 4, "batch_size": 4}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     images = Path(folder) / "images.npy"
        ...     np.save(images, np.random.default_rng(0).random((6, 8, 8, 1)))
        ...     config = kg.training.RunConfig(dataset=str(images), **network, **training)
        ...     result = kg.training.run_config(config, Path(folder) / "run")
        >>> result.state, result.epochs
        ('finished', 1)
    """
    config.settings()  # What they refuse is said before the images are read.
    return run_prepared(
        prepare_training(config, Path(out) if resume else None),
        out,
        begin=begin,
        resume=resume,
        overwrite=overwrite,
        console=console,
        state_seconds=state_seconds,
        after_epoch=after_epoch,
        label=label,
    )


def run_prepared(
    prepared: Preparation,
    out: str | Path,
    *,
    begin: Callable[[Preparation], object] | None = None,
    trackers: Sequence[Tracker] = (),
    **how: Any,
) -> TrainingResult:
    """The same with images and network at hand.

    Args:
        prepared: a `Preparation`.
        begin: see `run_config`.
        trackers: besides those of the configuration.
        out, **how: see `run_training`.
    """
    config = prepared.config
    clock = _checked_clock(prepared, resume=how.get("resume", False))
    if is_first():
        trackers = [*open_trackers(config.track), *trackers]
    if begin is not None:
        begin(prepared)
    return run_training(
        prepared.denoiser,
        prepared.train_images.images,
        prepared.test_images.images,
        config.settings(),
        out,
        data=prepared.data,
        options=dataclasses.asdict(config),
        data_on_device=config.data_on_device,
        clock=clock,
        trackers=trackers,
        **how,
    )


def _checked_clock(prepared, resume=False):
    """The `ClockSettings` of a `Preparation`, if there are any; raises `InputError` if they cannot be.

    A training that goes on has its plan, and its twin may be gone.
    """
    clock = prepared.config.clock_settings()
    if clock is None:
        return None
    if not resume:
        plan = _planned(clock, prepared)
        law = prepared.config.settings().noise_law
        clock.check_twin(prepared.data, law, _steps_of_looks(plan, prepared))
    if clock.clock_features is not None:
        as_features(clock.clock_features).of(prepared.train_images.images[:2], progress=False)
    return clock


def _steps_of_looks(plan, prepared):
    """At which steps a training is looked at; None where several steps are taken at a time."""
    settings = prepared.config.settings()
    if settings.steps_per_execution > 1:
        return None
    last = settings.epochs * batches_of(prepared.train_images.images, settings).steps_per_epoch
    return {*LogSteps(plan.per_decade).up_to(last), last}


def config_from(
    options: Mapping[str, Any], given: Collection[str] = (), file: str | Path | None = None
) -> RunConfig:
    """The configuration of a run: options that were given, else those in a file, else the defaults.

    Args:
        options: values of `RunOptions` by name; others are passed over.
        given: the names of those that somebody asked for, which a file does not replace.
        file: a JSON file of options (see `read_options`), or None.

    Returns:
        `RunConfig`, with absolute paths.

    Raises:
        InputError: for a file that holds anything else, or for options of a network beside a file that
            holds one.
    """
    in_file = {} if file is None else read_options(file)
    known = declared(RunConfig)
    chosen = {name: value for name, value in options.items() if name in known}
    chosen |= {name: value for name, value in in_file.items() if name not in given}
    if chosen.get("start_from") is not None:
        for name in declared(NetworkOptions):
            if name in given and name not in {"start_from", "conditional"}:
                raise InputError(
                    f"received {name.replace('_', '-')} with --start-from, whose network is what it is: "
                    "leave one of them out"
                )
    for name in PATHS:
        if chosen.get(name) is not None:
            refuse_address(chosen[name])
            # Of the file that is found now, wherever the run goes on later; a denoiser's name stays one.
            path = Path(chosen[name])
            stays = name == "start_from" and is_model_name(path)
            chosen[name] = str(path if stays else path.resolve())
    return RunConfig(**chosen)


def config_to_resume(out: Path, changes: Mapping[str, Any]) -> RunConfig:
    """The configuration of a run that goes on.

    Args:
        out: run directory.
        changes: what is to be other than it was, by name: `epochs`, `data_on_device`, `track`, and
            `dataset` for images that were moved.

    Returns:
        `RunConfig`.

    Raises:
        InputError: if there is no run, or it cannot go on like this.
    """
    check_run_to_resume(out)
    options, halving = options_and_halving(out)
    if options.get("dataset") is None:
        raise InputError(f"{out} was not started by `gahr train`: go on with it from Python")
    changes = dict(changes)
    moved = changes.pop("dataset", None)
    dataset = find_dataset(out) if moved is None else Path(moved).resolve()
    config = RunConfig(**{**options, "dataset": str(dataset)})
    if "epochs" in changes or config.settings().halve_every != halving:
        # The default is made from the epochs, and must not change with them; nor with the version.
        changes["halve_every"] = halving
    return dataclasses.replace(config, **changes)


def check_config(config: RunConfig, out: Path | None = None) -> Preparation:
    """The `Preparation` of a configuration that can be trained here; else raises `InputError`.

    Args:
        config: `RunConfig`.
        out: the run directory to go on with, or None.
    """
    prepared = prepare_training(config, out)
    goes_on = out is not None
    clock = _checked_clock(prepared, goes_on)
    check_conditions(
        prepared.denoiser,
        prepared.train_images.images,
        prepared.test_images.images,
        config.settings(),
        config.data_on_device,
        None if goes_on else clock,
    )
    check_count(config.devices)
    check_shares(config.batch_size, config.devices)
    return prepared


def estimate_prepared(prepared: Preparation) -> TrainingEstimate:
    """The `TrainingEstimate` of a `Preparation`, with all that is evaluated after each epoch."""
    config, settings = prepared.config, prepared.config.settings()
    denoiser, images = prepared.denoiser, prepared.train_images.images
    tests = prepared.test_images.images
    watched = sum(min(len(part), MOST_IMAGES) for part in (images, tests))
    return estimate_training(
        denoiser,
        images,
        settings,
        test_images=tests,
        extra_evaluations=watched * len(SIGMAS),
        data_on_device=goes_on_device(denoiser, images, settings, config.data_on_device),
        clock=planned_clock(prepared),
    )


def planned_clock(prepared: Preparation) -> ClockPlan | None:
    """How the training of a `Preparation` is looked at; None without a clock."""
    clock = prepared.config.clock_settings()
    return None if clock is None else _planned(clock, prepared)


def _planned(clock, prepared):
    images = prepared.train_images.images
    return plan_of(clock, prepared.denoiser, images, prepared.config.settings())


def now_and_then(function: Callable[[Any], object], seconds: float) -> Callable[[Any], None]:
    """The function, which is only called so many seconds after it was called last at the earliest."""
    last = time.monotonic()

    def call(argument):
        nonlocal last
        if time.monotonic() - last >= seconds:
            function(argument)
            last = time.monotonic()

    return call
