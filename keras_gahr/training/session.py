"""One process's part of a training."""

import contextlib
import math

import keras
import numpy as np

from keras_gahr import _backend
from keras_gahr._backend import parallel
from keras_gahr.datasets.arrays import take
from keras_gahr.denoisers import load_denoiser
from keras_gahr.errors import InputError

from .blind_training import compiled_training
from .data.batches import NoisyBatches, TiledBatches
from .data.device_images import DeviceImages
from .interruption import Interruption
from .result import TrainingResult
from .resume.epoch_length import steps_per_epoch_of
from .resume.state import read_state
from .resume.state_keeper import StateKeeper
from .tracking.callback import Tracking
from .watch.average import Average
from .watch.checkpoint import DenoiserKeeper
from .watch.clock import ClockWatch
from .watch.events import Events
from .watch.history import History
from .watch.levels import MOST_IMAGES, LevelRecorder, read_levels
from .watch.progress import ProgressBar
from .watch.status import Status

_MOST_PICTURES = 100
"""Epochs of a training whose pictures go into the event files."""


class Session:
    """Runs a training in a directory that this process has for itself, until something ends it.

    It must be made and run within `data_parallel`.

    Args:
        shared: the `DataParallel`.
        denoiser, train_images, test_images, settings, console, state_seconds, after_epoch, callbacks: see
            `run_training`.
        data_on_device: whether the training images are held on the device.
        clock: `ClockSettings`, or None.
        trackers: `Tracker`s.
        tracked: the `TrackedRun` that they are told of.
        begun: the record of the state of a training that goes on, for which `restore` follows; or None.
        out: the directory, which exists.
        identity: see `StateKeeper`.
    """

    def __init__(
        self,
        shared,
        denoiser,
        train_images,
        test_images,
        settings,
        out,
        identity,
        *,
        console,
        state_seconds,
        data_on_device,
        after_epoch,
        callbacks=(),
        clock=None,
        trackers=(),
        tracked=None,
        begun=None,
    ):
        self.shared, self.settings, self.out = shared, settings, out
        self.denoiser, self.begun = denoiser, begun
        self.batches = self._batches(train_images, data_on_device)
        self.tests = self._test_batches(test_images)
        copy = shared.replicate(denoiser, settings.precision)
        held = DeviceImages(train_images) if data_on_device else None
        self.model = compiled_training(copy, settings, self.batches.steps_per_epoch, held)
        self.interruption = Interruption(shared.any_process)
        self.average = self._average(copy, train_images, held)
        self.kept = copy if self.average is None else self.average.denoiser
        self.history = History(out / "history.csv", self.batches)
        self.checkpoint = self._checkpoint(train_images)
        self.levels = self._levels(train_images, test_images)
        self.events = self._events()
        self.clock = self._clock(clock, train_images, test_images)
        self.tracking = self._tracking(trackers, tracked)
        self.keeper = self._keeper(identity, state_seconds)
        self.status = Status(out / "status.json", settings.epochs, lambda: self.checkpoint.kept)
        self.progress = ProgressBar(console, self.batches, settings.epochs) if console else None
        self.callbacks = self._in_order(after_epoch, callbacks)

    def _average(self, denoiser, images, held):
        settings = self.settings
        if settings.ema is None:
            return None
        # Others than those of `fit`, which goes from epoch to epoch.
        return Average(denoiser, settings, self._batches(images, held is not None), held)

    def _batches(self, images, as_indices):
        batches = TiledBatches(
            images,
            self.settings.images_per_epoch,
            self.settings.batch_size,
            self.settings.seed,
            shares=self.shared.count,
            as_indices=as_indices,
        )
        if self.begun is not None:
            path = self.out / "state.safetensors"
            batches.steps_per_epoch = steps_per_epoch_of(path, self.begun, batches)
        return batches

    def _test_batches(self, images):
        """The noisy test images, this process's share of them; None if there are no images."""
        if not len(images):
            return None
        tests = NoisyBatches(
            images,
            self.settings.noise_law,
            self.settings.batch_size,
            self.settings.seed,
            condition=self.denoiser.input_channels - self.denoiser.output_channels,
        )
        return self.shared.share(tests)

    def _checkpoint(self, train_images):
        channels = self.denoiser.output_channels
        return DenoiserKeeper(
            self.out / "model.keras",
            self.kept,
            self.batches,
            idle_loss=_idle_loss(train_images, self.settings.noise_law, channels),
            patience=self.settings.patience,
        )

    def _levels(self, train_images, test_images):
        path = self.out / "levels.csv"
        return LevelRecorder(
            path,
            train_images,
            test_images,
            rows=read_levels(path) if path.exists() else (),
            seed=self.settings.seed,
            denoiser=lambda: self.kept,
            stopped=lambda: self.history.stopped,
        )

    def _events(self):
        return Events(
            self.out / "events",
            self.batches,
            self.levels,
            pictures_every=math.ceil(self.settings.epochs / _MOST_PICTURES),
        )

    def _clock(self, clock, train_images, test_images):
        if clock is None:
            return None
        return ClockWatch(
            self.out,
            clock,
            self.settings.noise_law,
            None
            if self.begun is not None
            else clock.plan(self.denoiser, self.batches, self.settings),
            train_images,
            test_images,
            self.batches,
            last_step=self.settings.epochs * self.batches.steps_per_epoch,
            denoiser=self._of_now,
            any_process=self.shared.any_process,
        )

    def _of_now(self):
        """The denoiser to look at within an epoch."""
        if self.average is not None:
            self.average.take()
        return self.kept

    def _tracking(self, trackers, tracked):
        if not trackers:
            return None
        path = self.out / "trackers.json"
        return Tracking(path, trackers, tracked, self.batches, self.events, self.clock)

    def _keeper(self, identity, seconds):
        parts = {"history": self.history, "checkpoint": self.checkpoint}
        if self.clock is not None:
            parts["clock"] = self.clock
        return StateKeeper(
            self.out / "state.safetensors",
            self.model,
            self.batches,
            self.interruption,
            parts=parts,
            diverged=lambda: self.checkpoint.diverged,
            identity=identity,
            seconds=seconds,
            ended=lambda: self.clock is not None and self.clock.stopped is not None,
        )

    def _in_order(self, after_epoch, callbacks):
        """All callbacks in the order in which they are to be called."""
        found = [
            self.interruption,
            self.average,
            self.history,
            self.checkpoint,
            self.levels,
            self.events,
            self.clock,
            self.tracking,
            # After those whose state it keeps.
            self.keeper,
            self.status,
            self.progress,
        ]
        if after_epoch is not None:
            found.append(
                keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: after_epoch(self._result()))
            )
        found += callbacks
        return [callback for callback in found if callback is not None]

    def restore(self, arrays, record):
        """Goes to where an earlier part of the run was.

        Args:
            arrays, record: what `read_state` returned.

        Raises:
            InputError: if they do not fit, or more epochs are done than are asked for.
        """
        self.keeper.restore(arrays, record)
        begun = self.keeper.epoch + (self.keeper.step > 0)
        if begun > self.settings.epochs:
            raise InputError(
                f"received {self.settings.epochs} epochs, but {begun} are done or begun: expected at "
                "least as many"
            )

    def run(self):
        """Trains to the end, or until something ends it, and returns the `TrainingResult`."""
        state = "failed"
        try:
            self._train()
            self._keep_snapshot()
            state = self._end()
            self.status.write(state, self.keeper.epoch)
        except BaseException as error:
            # Who asks a second time, so that it stops at once, has no error.
            state = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
            # Of a full disk the error that is on its way tells.
            with contextlib.suppress(InputError):
                self.status.write(state)
            raise
        finally:
            if self.tracking is not None:
                self.tracking.close(state)
        # What is kept may be the best epoch's or averages, which the model does not have any more.
        kept = self.checkpoint.path
        last = load_denoiser(kept) if kept.exists() else self.model.denoiser
        # Only the first process has what earlier parts of a run kept.
        parallel.broadcast(last.variables)
        self.denoiser.set_weights(last.get_weights())
        return self._result()

    def _train(self):
        try:
            with self.interruption.listening():
                # Who reads that it is running may stop it.
                self.status.write("running", self.keeper.epoch)
                if self.keeper.step and self._end() is None:
                    # All epochs of one `fit` have one length: the rest of one needs its own.
                    self._fit(self.keeper.epoch + 1)
                    if self._end() is None:
                        # At its end `fit` puts the averages in the place of the weights.
                        self.keeper.restore(*read_state(self.keeper.path))
                if self._end() is None:
                    self._fit(self.settings.epochs)
        finally:
            self.events.close()
            if self.clock is not None:
                self.clock.close()
            if self.progress is not None:
                self.progress.close()

    def _keep_snapshot(self):
        """Ends the clock, which may put the model of a look in the place of the last one."""
        path, diverged = self.checkpoint.path, self.checkpoint.diverged
        if self.clock is not None and self.clock.finish(path, diverged):
            # Its PSNR nobody has measured.
            self.checkpoint.kept = {"kept_epoch": None}

    def _result(self):
        return TrainingResult(
            self._end() or "running",
            self.history.rows,
            self.interruption.signal,
            self.levels.rows,
            self.levels.pictures,
            self.denoiser,
            self.out,
            clock=None if self.clock is None else self.clock.report(),
            memorized=None if self.clock is None else self.clock.stopped,
        )

    def _end(self):
        """Why the training is over, or None while it is not."""
        if self.checkpoint.diverged:
            return "diverged"
        if self.checkpoint.exhausted:
            return "early stop"
        if self.clock is not None and self.clock.stopped is not None:
            return "early stop"
        if self.keeper.epoch >= self.settings.epochs:
            return "finished"
        if self.interruption.signal is not None:
            return "stopped"
        # Nobody else is left who may have stopped it but a callback of the caller's.
        return "early stop" if self.model.stop_training else None

    def _fit(self, epochs):
        """Trains from where the keeper is until so many epochs are done."""
        first = self.keeper.epoch
        self.batches.begin(first, self.keeper.step)
        self.model.fit(
            _backend.fed(self.shared.share(self.batches)),
            initial_epoch=first,
            epochs=epochs,
            validation_data=None if self.tests is None else _backend.fed(self.tests),
            # The batches have their own order; Keras would shuffle it with its global seed.
            shuffle=False,
            callbacks=[self.batches.order(), *self.callbacks],
            verbose=0,
        )


def _idle_loss(images, noise_law, channels):
    """The loss of a network that returns nothing, as the residual or as the denoised image.

    With little noise the second is by far the larger one, and it is where a network without a skip
    connection begins.
    """
    shown = take(images, slice(MOST_IMAGES), limits=None)[..., -channels:]
    mean_square = max(noise_law.mean_square(), float(np.mean(np.square(shown))))
    return mean_square * math.prod(shown.shape[1:])
