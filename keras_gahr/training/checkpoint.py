"""The denoiser on disk after every epoch."""

import math

import keras

from keras_gahr.denoisers import save_denoiser


class Checkpoint(keras.callbacks.Callback):
    """Saves the denoiser after each epoch; stops the training, keeping the last one, if it diverges.

    Args:
        path: of the `.keras` file.

    Attributes:
        diverged: whether the loss was not a finite number.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.diverged = False

    def on_epoch_end(self, epoch, logs=None):
        losses = [logs[name] for name in ("loss", "val_loss") if name in logs]
        if all(math.isfinite(loss) for loss in losses):
            save_denoiser(self.model.denoiser, self.path)
        else:
            self.diverged = True
            self.model.stop_training = True
