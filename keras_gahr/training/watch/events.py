"""A training in TensorBoard."""

import time
from collections.abc import Mapping

import keras
import numpy as np

from keras_gahr.datasets.image_files import contact_sheet

from .event_file import EventFile

_GAP = 4


class Events(keras.callbacks.Callback):
    """Writes each epoch to a TensorBoard event file: numbers, PSNR at fixed noise levels, pictures.

    The step is the number of the epoch, from 1. When a run goes on, what an earlier part wrote of the
    first epoch trained now and of later ones is removed.

    Scalars: `loss/train`, `loss/test`, `psnr/train`, `psnr/test` (as in history.csv),
    `learning_rate`, `images_per_second` while training, and `psnr_train/sigma_012.9` or
    `psnr_test/...` for each noise level in units of [0, 255]. Pictures: `denoising/sigma_012.9`,
    noisy images on the left and denoised ones on the right.

    Args:
        folder: of the event files.
        batches: `TiledBatches`.
        levels: the `LevelRecorder` of the same training, earlier in the list of callbacks, or None.
        pictures_every: epochs between pictures, which take about 0.2 MB of disk each time.

    Attributes:
        scalars: those of the last epoch, by tag.
    """

    _LOGS = {
        "loss/train": "loss",
        "loss/test": "val_loss",
        "psnr/train": "psnr",
        "psnr/test": "val_psnr",
    }

    def __init__(self, folder, batches, levels=None, pictures_every=1):
        super().__init__()
        self.folder = folder
        self.batches = batches
        self.levels = levels
        self.pictures_every = pictures_every
        self.scalars = {}
        self._file = None

    def on_epoch_begin(self, epoch, logs=None):
        if self._file is None:
            self._file = EventFile(self.folder, epoch + 1)
        self._start = time.monotonic()
        self._seconds = None
        self._images = 0
        self._learning_rate = float(self.model.optimizer.learning_rate)

    def on_train_batch_end(self, batch, logs=None):
        self._images = self.batches.images_done(batch)

    def on_test_begin(self, logs=None):
        # An accelerator may still be busy after the last step was given to it, but no longer when
        # the testing begins, since the epoch's numbers were fetched in between.
        self._seconds = time.monotonic() - self._start

    def on_epoch_end(self, epoch, logs: Mapping[str, float]):
        seconds = self._seconds or time.monotonic() - self._start
        scalars = {tag: logs[name] for tag, name in self._LOGS.items() if name in logs}
        scalars["learning_rate"] = self._learning_rate
        scalars["images_per_second"] = self._images / seconds
        images = {}
        if self.levels is not None:
            rows = [row for row in self.levels.rows if row["epoch"] == epoch + 1]
            for row in rows:
                scalars[f"psnr_{row['set']}/{_level(row['sigma'])}"] = row["psnr"]
            if rows and (epoch == 0 or (epoch + 1) % self.pictures_every == 0):
                images = {
                    f"denoising/{_level(sigma)}": _side_by_side(noisy, denoised)
                    for sigma, _, noisy, denoised in self.levels.pictures
                }
        self.scalars = scalars
        assert self._file is not None  # Since the epoch began.
        self._file.add(epoch + 1, scalars, images)

    def close(self):
        """Closes the file; `on_train_end` does not run when `fit` raises."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def on_train_end(self, logs=None):
        self.close()


def _level(sigma):
    return f"sigma_{255 * sigma:05.1f}"


def _side_by_side(noisy, denoised):
    """Two sheets of images as one `(height, width, 1 or 3)`; of other channels the first is shown."""
    columns = int(np.ceil(np.sqrt(len(noisy))))
    sheets = [contact_sheet(images, columns) for images in (noisy, denoised)]
    gap = np.ones((len(sheets[0]), _GAP, sheets[0].shape[-1]), sheets[0].dtype)
    both = np.concatenate([sheets[0], gap, sheets[1]], axis=1)
    return both if both.shape[-1] == 3 else both[..., :1]
