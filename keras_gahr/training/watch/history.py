"""One row of numbers for each epoch."""

import csv
import math
import time
from collections.abc import Mapping

import keras

from keras_gahr.errors import InputError
from keras_gahr.files import replacing


class History(keras.callbacks.Callback):
    """Keeps loss and PSNR of each epoch and writes them to a CSV file, whole at every epoch.

    Columns: `epoch` (from 1), `steps` taken in it, `seconds`, `learning_rate` in it,
    `train_loss` and `train_psnr` (averages over the epoch, in training mode, with fresh noise),
    `test_loss` and `test_psnr` (after the epoch, in evaluation mode, with the same noise in every
    epoch). Losses are sums over pixels and channels, PSNR is in dB.

    An epoch that was stopped has a row too, which a training that goes on replaces.

    Args:
        path: of the CSV file.
        batches: `TiledBatches`.
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

    def __init__(self, path, batches):
        super().__init__()
        self.path = path
        self.batches = batches
        self.rows = []
        self._begun = None

    @property
    def stopped(self):
        """Whether the epoch is over before all of its steps were taken."""
        return self._steps < self.batches.steps_per_epoch

    def state(self):
        """The rows of the epochs that are done, and what is known of the one that is not."""
        if not self.stopped:
            return {"rows": list(self.rows), "begun": None}
        begun = {"seconds": self._seconds(), "learning_rate": self._learning_rate}
        return {"rows": list(self.rows), "begun": begun}

    def restore(self, state):
        """Puts back what `state` returned; raises `ValueError` or `TypeError` for anything else."""
        rows, begun = state["rows"], state["begun"]
        for row in rows:
            if not set(self.COLUMNS) >= row.keys() >= set(self.COLUMNS[:4]):
                raise ValueError(f"a row with {', '.join(row)}")
        for numbers in (*rows, begun or {}):
            for value in numbers.values():
                float(value)
        if begun is not None:
            begun = {name: begun[name] for name in ("seconds", "learning_rate")}
        self.rows, self._begun = list(rows), begun

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.monotonic()
        self._steps = self.batches.first_batch
        begun = self._begun or {
            "seconds": 0.0,
            "learning_rate": float(self.model.optimizer.learning_rate),
        }
        self._seconds_before = begun["seconds"]
        self._learning_rate = begun["learning_rate"]
        self._begun = None

    def on_train_batch_end(self, batch, logs=None):
        self._steps = self.batches.done(batch)

    def on_epoch_end(self, epoch, logs: Mapping[str, float]):
        numbers = {name: float(logs[key]) for name, key in self._LOGS.items() if key in logs}
        self.rows.append(
            {
                "epoch": epoch + 1,
                "steps": self._steps,
                "seconds": round(self._seconds(), 3),
                "learning_rate": self._learning_rate,
                **numbers,
            }
        )
        with replacing(self.path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, self.COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(self.rows)

    def _seconds(self):
        return self._seconds_before + time.monotonic() - self._start


def read_history(path):
    """The rows of a file that `History` wrote, without entries that are empty or not finite.

    Raises:
        InputError: if it is missing or damaged.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [
                {name: float(row[name]) for name in History.COLUMNS if row[name]}
                for row in csv.DictReader(file)
            ]
        return [
            {name: value for name, value in row.items() if math.isfinite(value)}
            | {name: int(row[name]) for name in ("epoch", "steps")}
            for row in rows
        ]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (ArithmeticError, ValueError, LookupError, TypeError, csv.Error) as error:
        raise InputError(
            f"{path} cannot be read: expected the table of epochs of a training; put back a copy of it"
        ) from error
