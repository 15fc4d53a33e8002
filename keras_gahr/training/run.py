"""A training from start to end, in a run directory."""

import dataclasses
import json
import shutil
import signal

import keras

import keras_gahr
from keras_gahr import _backend
from keras_gahr.errors import InputError
from keras_gahr.files import check_output_folder, replacing

from .batches import NoisyBatches, TiledBatches
from .blind_training import BlindTraining
from .checkpoint import Checkpoint
from .history import History
from .interruption import Interruption
from .progress import ProgressBar


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Args:
        history: the rows of history.csv.
        signal: the signal that stopped it early, or None.
        diverged: whether the loss was not finite; the model is then that of the epoch before, if
            there was one.
    """

    history: list[dict]
    signal: signal.Signals | None
    diverged: bool


def check_run_output(out, overwrite=False):
    """The run directory, if a training may write it; else raises `InputError`."""
    contents = ("config.json", "model.keras", "history.csv", "curves.png")
    return check_output_folder(out, overwrite, known_by="config.json", contents=contents)


def train(
    denoiser,
    train_images,
    test_images,
    settings,
    out,
    *,
    data=None,
    overwrite=False,
    console=None,
):
    """Trains a denoiser and keeps it in a run directory.

    The directory gets config.json at the start, and model.keras and history.csv after each epoch. A
    SIGINT or SIGTERM ends the training after the current step, with the model saved.

    Args:
        denoiser: a `Denoiser`; it is changed.
        train_images: array `(count, height, width, channels)`, uint8 or float32 on [0, 1].
        test_images: the same, disjoint from `train_images`; may be empty.
        settings: `TrainingSettings`.
        out: run directory, new.
        data: a description of the images for config.json.
        overwrite: whether `out` may be an older run, which is removed first.
        console: a rich console for progress, or None.

    Returns:
        `TrainingResult`.

    Raises:
        InputError: if there are no training images, if they do not fit the denoiser, or if the run
            directory may not be written.
    """
    if len(train_images) == 0:
        raise InputError("received no training images, expected at least one")
    denoiser.check_shape(train_images.shape)
    batches = TiledBatches(
        train_images, settings.images_per_epoch, settings.batch_size, settings.seed
    )
    tests = None
    if len(test_images):
        denoiser.check_shape(test_images.shape)
        tests = NoisyBatches(test_images, settings.noise_law, settings.batch_size, settings.seed)

    out = check_run_output(out, overwrite)
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    _write_config(out / "config.json", denoiser, settings, data)

    model = BlindTraining(denoiser, settings.noise_law, settings.seed)
    model.compile(optimizer=settings.optimizer(len(batches)), jit_compile=_backend.jit_compile())
    history, checkpoint = History(out / "history.csv"), Checkpoint(out / "model.keras")
    interruption = Interruption()
    callbacks = [interruption, history, checkpoint]
    progress = None
    if console is not None:
        progress = ProgressBar(console, len(batches), settings.epochs, settings.batch_size)
        callbacks.append(progress)
    try:
        with interruption.listening():
            model.fit(
                batches,
                epochs=settings.epochs,
                validation_data=tests,
                # The batches have their own order; Keras would shuffle it with its global seed.
                shuffle=False,
                callbacks=callbacks,
                verbose=0,
            )
    finally:
        if progress is not None:
            progress.close()
    return TrainingResult(history.rows, interruption.signal, checkpoint.diverged)


def _write_config(path, denoiser, settings, data):
    config = {
        "denoiser": {"class": type(denoiser).__name__, **denoiser.get_config()},
        "training": dataclasses.asdict(settings),
        "data": data or {},
        "versions": {"keras_gahr": keras_gahr.__version__, "keras": keras.__version__},
        "backend": keras.backend.backend(),
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(config, indent=2, allow_nan=False) + "\n")
