"""Training in one call, from images in memory or on disk."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import rich.console
from numpy.typing import ArrayLike

from keras_gahr import _backend
from keras_gahr.datasets import Dataset
from keras_gahr.datasets.store import as_dataset
from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.options.option import declared, takes_options
from keras_gahr.options.training import NetworkOptions, RunOptions

from .config import RunConfig, options_and_halving
from .configured import run_prepared
from .preparation import prepare_images, split_for_training
from .result import TrainingResult
from .run import several
from .run_folder import check_path, check_run_to_resume
from .tracking.tracker import Tracker

_SIZES = ("train_size", "test_size")


@takes_options(RunOptions, without=("dataset",))
def train(
    images: ArrayLike | str | PathLike | Dataset,
    test_images: ArrayLike | str | PathLike | Dataset | None = None,
    *,
    denoiser: DenoiserLike | None = None,
    out: str | PathLike | None = None,
    overwrite: bool = False,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.Callback | None = (),
    trackers: Sequence[Tracker] | Tracker | None = (),
    progress: bool = True,
    **options: Any,
) -> TrainingResult:
    """Trains a blind denoiser for all noise levels.

    Ctrl-C ends the training after the current step, and what was trained until then is returned.

    Args:
        images: an array (N, H, W) or (N, H, W, C), uint8 in 0..255 or floats in [0, 1]; or a dataset
            folder or the file of an array; or a `Dataset`.
        test_images: the same, to test on after each epoch; default: a tenth of `images`, at most 512,
            which is not trained on (none of a single image).
        denoiser: the network to train, which is changed, or where one is that is taken as the first one;
            see `as_denoiser`. Default: a new one, by the options.
        out: run directory to make, as `gahr train` does; default: none is left.
        overwrite: whether `out` may be an older run, which is replaced.
        resume: whether to go on with the run in `out`, with the same images and options, but perhaps
            more epochs.
        callbacks: `keras.callbacks.Callback`s, or one, called as `fit` calls them; the model they see is a
            `BlindTraining`, whose `denoiser` is the network in training.
        trackers: `Tracker`s of your own, or one, besides those that `track` names.
        progress: whether to show it, in a terminal, a notebook or a log.
        **options: what `gahr train` takes, with underscores: `epochs=20`, `architecture="bf-cnn"`,
            `num_kernels=32`; see `TrainingSettings`.

    Returns:
        `TrainingResult`, with the trained `denoiser` and its `history`.

    Raises:
        InputError: for what cannot be trained, and options that do not exist.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
        >>> network = {"architecture": "bf-cnn", "num_layers": 3, "num_kernels": 4}
        >>> training = {"epochs": 1, "images_per_epoch": 16, "batch_size": 8}
        >>> result = kg.train(images, progress=False, **network, **training)
        >>> result.state, len(result.history)
        ('finished', 1)
        >>> kg.denoise(result.denoiser, images[0]).shape
        (8, 8)
    """
    callbacks = several(callbacks, keras.callbacks.Callback, "keras.callbacks.Callback")
    trackers = several(trackers, Tracker, "keras_gahr.training.Tracker")
    out = None if out is None else check_path(out)
    denoiser = None if denoiser is None else as_denoiser(denoiser)
    begun = None
    if resume:
        begun = _run_to_resume(out)
        options = _options_to_resume(begun, options)
    config = _config(images, test_images, denoiser, options)
    parts = _parts(images, test_images, config)
    # A network that is made here is to learn.
    with _backend.with_gradients():
        prepared = prepare_images(config, *parts, begun, denoiser)
    with contextlib.ExitStack() as stack:
        temporary = None
        if out is None:
            temporary = tempfile.TemporaryDirectory(prefix="gahr-", ignore_cleanup_errors=True)
            # What is returned keeps it; an exception does not.
            stack.callback(temporary.cleanup)
            out = Path(temporary.name) / "run"
        result = run_prepared(
            prepared,
            out,
            overwrite=overwrite,
            resume=resume,
            callbacks=callbacks,
            trackers=trackers,
            console=rich.console.Console() if progress else None,
        )
        stack.pop_all()
    return dataclasses.replace(result, temporary=temporary)


def _run_to_resume(out):
    if out is None:
        raise InputError("received resume=True without a run directory: pass out=RUN too")
    return check_run_to_resume(out)


def _options_to_resume(begun, options):
    _, halving = options_and_halving(begun)
    return {"halve_every": halving, **options}


def _config(images, test_images, denoiser, options):
    known = declared(RunConfig).keys() - {"dataset"}
    for name in options:
        if name not in known:
            raise InputError(f"received {name}, expected some of {', '.join(sorted(known))}")
    if denoiser is not None:
        for name in declared(NetworkOptions):
            if name in options:
                raise InputError(
                    f"received {name} with a denoiser, which is what it is: leave one of them out"
                )
    if test_images is not None:
        for name in _SIZES:
            if name in options:
                raise InputError(f"received {name} with test images: leave one of them out")
    # With all of it in the configuration `gahr train --resume` goes on, too.
    path = isinstance(images, str | PathLike) and test_images is None and denoiser is None
    return RunConfig(dataset=str(Path(images).resolve()) if path else None, **options)


def _parts(images, test_images, config):
    """Training and test images, as Datasets, and the half that they are; None for all images."""
    images = as_dataset(images, config.layout, config.conditional)
    if test_images is not None:
        return images, as_dataset(test_images, config.layout, config.conditional), None
    return split_for_training(images, config)
