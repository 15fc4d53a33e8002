"""A progress bar for `fit`."""

import time
from collections.abc import Mapping

import keras
import rich.progress

from keras_gahr.progress_bar import progress_bar


class ProgressBar(keras.callbacks.Callback):
    """Shows epoch, step, loss, images per second and the time left, and a line for each epoch
    with loss and PSNR on the training and the test images.

    Args:
        console: a rich console.
        batches: `TiledBatches`.
        epochs: of the training.
    """

    _REFRESH = 0.25

    def __init__(self, console, batches, epochs):
        super().__init__()
        self.console = console
        self.batches = batches
        self.epochs = epochs

    def on_train_begin(self, logs=None):
        self._progress = progress_bar(
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("{task.fields[numbers]}"),
            rich.progress.TimeRemainingColumn(),
            console=self.console,
        )
        self._progress.start()
        # Steps of an earlier part are there from the start, so that the speed does not count them.
        self._task = self._progress.add_task(
            "starting",
            total=self.epochs * self.batches.steps_per_epoch,
            completed=self._done(self.batches.epoch),
            numbers="",
        )
        self._shown = 0.0

    def _done(self, epoch):
        """Steps that were done when `fit` began with this epoch."""
        return epoch * self.batches.steps_per_epoch + self.batches.first_batch

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._start = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        if now - self._shown < self._REFRESH and batch + 1 < len(self.batches):
            return
        self._shown = now
        rate = self.batches.images_done(batch) / max(now - self._start, self._REFRESH)
        numbers = f"{rate:.0f} images/s"
        if logs and "loss" in logs:
            numbers = f"loss {float(logs['loss']):.4g}  {numbers}"
        step = self.batches.done(batch)
        self._progress.update(
            self._task,
            description=f"epoch {self._epoch + 1}/{self.epochs}, step {step}",
            completed=self._epoch * self.batches.steps_per_epoch + step,
            numbers=numbers,
        )

    def on_epoch_end(self, epoch, logs: Mapping[str, float]):
        line = f"epoch {epoch + 1:>4}  train {logs['loss']:9.4g} {logs['psnr']:5.2f} dB"
        if "val_loss" in logs:
            line += f"   test {logs['val_loss']:9.4g} {logs['val_psnr']:5.2f} dB"
        self._progress.console.print(f"{line}   {time.monotonic() - self._start:.1f} s")

    def close(self):
        """Ends the bar; `on_train_end` does not run when `fit` raises."""
        if hasattr(self, "_progress"):
            self._progress.stop()

    def on_train_end(self, logs=None):
        self.close()
