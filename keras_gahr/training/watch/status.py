"""What a run is doing, in a file that others can read."""

import json
import os
import socket

import keras

from keras_gahr.files import replacing

STATES = ("running", "finished", "stopped", "early stop", "diverged", "failed")


class Status(keras.callbacks.Callback):
    """Keeps `status.json`: the state (one of `STATES`), the epochs done and asked for, and the process.

    It also says after which epoch the model was measured.

    A run that is "running" in a process that is gone was killed.

    Args:
        path: of the file.
        epochs: asked for.
        kept: a function that returns what is to be said of the model: see `DenoiserKeeper.kept`.
    """

    def __init__(self, path, epochs, kept):
        super().__init__()
        self.path = path
        self.epochs = epochs
        self.kept = kept
        self._epoch = 0

    def write(self, state, epoch=None):
        """Says what the run is doing, after so many epochs (by default as many as at last)."""
        self._epoch = self._epoch if epoch is None else epoch
        content = {
            "state": state,
            "epoch": self._epoch,
            "epochs": self.epochs,
            **self.kept(),
            "pid": os.getpid(),
            "host": socket.gethostname(),
        }
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps(content) + "\n")

    def on_epoch_end(self, epoch, logs=None):
        self.write("running", epoch + 1)
