"""One row of numbers for each epoch."""

import csv
import time

import keras

from keras_gahr.files import replacing


class History(keras.callbacks.Callback):
    """Keeps loss and PSNR of each epoch and writes them to a CSV file, whole at every epoch.

    Columns: `epoch` (from 1), `steps` taken in it, `seconds`, `learning_rate` in it,
    `train_loss` and `train_psnr` (averages over the epoch, in training mode, with fresh noise),
    `test_loss` and `test_psnr` (after the epoch, in evaluation mode, with the same noise in every
    epoch). Losses are sums over pixels and channels, PSNR is in dB.

    Args:
        path: of the CSV file.
    """

    COLUMNS = (
        "epoch",
        "steps",
        "seconds",
        "learning_rate",
        "train_loss",
        "train_psnr",
        "test_loss",
        "test_psnr",
    )
    _LOGS = {
        "train_loss": "loss",
        "train_psnr": "psnr",
        "test_loss": "val_loss",
        "test_psnr": "val_psnr",
    }

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.rows = []

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.monotonic()
        self._steps = 0
        self._learning_rate = float(self.model.optimizer.learning_rate)

    def on_train_batch_end(self, batch, logs=None):
        self._steps = batch + 1

    def on_epoch_end(self, epoch, logs=None):
        numbers = {name: float(logs[key]) for name, key in self._LOGS.items() if key in logs}
        self.rows.append(
            {
                "epoch": epoch + 1,
                "steps": self._steps,
                "seconds": round(time.monotonic() - self._start, 3),
                "learning_rate": self._learning_rate,
                **numbers,
            }
        )
        with replacing(self.path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, self.COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(self.rows)
