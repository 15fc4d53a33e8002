"""How well the denoiser does at each of ten noise levels, after every epoch."""

import csv

import keras
import numpy as np

from keras_gahr.datasets.arrays import take
from keras_gahr.denoisers.inference import CurrentInference
from keras_gahr.errors import InputError
from keras_gahr.files import replacing
from keras_gahr.noise import keyed_normal
from keras_gahr.psnr import SIGMAS, psnr_of_any

PICTURED = SIGMAS[2::2]
"""The four of them that pictures are kept of: 3.6, 12.9, 46.4 and 166.8 of 255."""

MOST_IMAGES = 64


class LevelRecorder(keras.callbacks.Callback):
    """PSNR of some training and test images at fixed noise levels, after each epoch, in a CSV file.

    The images and their noise are the same in every epoch; an image's noise depends on the seed and
    its place among the images only (as in `keras_gahr.psnr.psnr_at`). The file is written whole at
    every epoch, one row for each set and level. Columns: `epoch` (from 1), `set` (train or test),
    `sigma` in units of [0, 1], `input_psnr` and `psnr` in dB, means over the images before and after
    denoising, in evaluation mode.

    Args:
        path: of the CSV file.
        train_images: array `(count, height, width, channels)`, uint8 or float32 on [0, 1]; the
            first 64 are used.
        test_images: the same; may be empty.
        rows: those of an earlier part of the run (`read_levels`); what it wrote of epochs from the
            first one trained now on is dropped.
        seed: of the noise.
        denoiser: a function without arguments that returns the `Denoiser` to evaluate; by default
            that of the model being trained.
        batch_size: images denoised at once.
        shown: images in `pictures`.
        stopped: a function that says whether somebody waits for the training to end in the middle of
            an epoch, which is then not evaluated.

    Attributes:
        rows: list of dictionaries, as in the file.
        pictures: of the last epoch evaluated, a list of (sigma, clean, noisy, denoised) for each sigma of
            `PICTURED`: float32 `(shown, height, width, channels)` of the first test images, or of
            training images if there are none. Of details of wavelet bands, which are not on [0, 1],
            `(shown, height, 3 width, channels)`: horizontal, vertical and diagonal ones side by side, with
            grey for 0.
    """

    COLUMNS = ("epoch", "set", "sigma", "input_psnr", "psnr")

    def __init__(
        self,
        path,
        train_images,
        test_images,
        *,
        rows=(),
        seed=0,
        denoiser=None,
        batch_size=32,
        shown=4,
        stopped=lambda: False,
    ):
        super().__init__()
        self.path = path
        self.rows = list(rows)
        self.pictures = []
        self.seed = seed
        self.shown = shown
        self.stopped = stopped
        self._denoiser = denoiser
        self._current = CurrentInference(batch_size)
        self._sets = {
            name: take(images, slice(MOST_IMAGES), limits=None)
            for name, images in (("train", train_images), ("test", test_images))
            if len(images)
        }
        self._pictured = list(self._sets)[-1]

    def on_epoch_begin(self, epoch, logs=None):
        self.rows = [row for row in self.rows if row["epoch"] <= epoch]

    def on_epoch_end(self, epoch, logs=None):
        if self.stopped():
            return
        inference = self._current.of(
            self.model.denoiser if self._denoiser is None else self._denoiser()
        )
        self.pictures = []
        for name, images in self._sets.items():
            self.rows += [
                {"epoch": epoch + 1, "set": name, "sigma": sigma, **numbers}
                for sigma, numbers in zip(
                    SIGMAS, self._evaluate(inference, name, images), strict=True
                )
            ]
        with replacing(self.path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, self.COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)

    def _evaluate(self, inference, name, images):
        """Yields the numbers of one set at each level, and keeps the pictures on the way."""
        channels = inference.denoiser.output_channels
        clean = images[..., -channels:]
        noise = keyed_normal(self.seed, range(len(images)), 0, images.shape[1:])
        # Channels that are a condition stay clean.
        noise[..., :-channels] = 0
        for sigma in SIGMAS:
            noisy = images + np.float32(sigma) * noise
            denoised = inference.denoise(noisy)
            noisy = noisy[..., -channels:]
            if name == self._pictured and sigma in PICTURED:
                shown = [part[: self.shown].copy() for part in (clean, noisy, denoised)]
                if channels == 3 * (images.shape[-1] - channels):
                    shown = map(_side_by_side, shown)
                self.pictures.append((sigma, *shown))
            yield {
                "input_psnr": float(psnr_of_any(noisy, clean).mean()),
                "psnr": float(psnr_of_any(denoised, clean).mean()),
            }


def _side_by_side(details):
    """Details around 0, (N, height, width, 3 channels), as pictures (N, height, 3 width, channels)."""
    return np.concatenate(np.split(details, 3, axis=-1), axis=2) + np.float32(0.5)


def read_levels(path):
    """The rows of a file that `LevelRecorder` wrote.

    Raises:
        InputError: if it is missing or damaged.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [
                {
                    "epoch": int(row["epoch"]),
                    "set": str(row["set"]),
                    **{name: float(row[name]) for name in LevelRecorder.COLUMNS[2:]},
                }
                for row in csv.DictReader(file)
            ]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(
            f"{path} cannot be read: expected the table of noise levels of a training; remove it"
        ) from error
