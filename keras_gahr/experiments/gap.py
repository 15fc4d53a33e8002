"""How much better a network denoises the images it was trained on (arXiv 2310.02557, figures 1 and 15)."""

import dataclasses

import numpy as np

from keras_gahr.analysis import psnr_curve
from keras_gahr.analysis.intervals import difference_interval
from keras_gahr.analysis.psnr_curves import PSNRCurve
from keras_gahr.denoisers import Inference
from keras_gahr.psnr import SIGMAS

_MOST_DRAWS = 16
"""Noise draws of each image of a small set."""


@dataclasses.dataclass(frozen=True, eq=False)
class Gap:
    """PSNR on training and on test images at several noise levels.

    Attributes:
        train, test: `PSNRCurve`s at the same levels.
    """

    train: PSNRCurve
    test: PSNRCurve

    @property
    def difference(self):
        """Train minus test in dB, (S,)."""
        return self.train.mean - self.test.mean

    @property
    def worst(self):
        """The index of the level at which the difference is largest."""
        return int(np.argmax(self.difference))

    @property
    def largest(self):
        """The largest difference, dB."""
        return float(self.difference[self.worst])

    @property
    def mean(self):
        """The mean difference over the noise levels, dB."""
        return float(self.difference.mean())

    @property
    def largest_interval(self):
        """The 95% interval of `largest`."""
        level = slice(self.worst, self.worst + 1)
        return difference_interval(*(_each(part.after[level]) for part in (self.train, self.test)))

    @property
    def mean_interval(self):
        """The 95% interval of `mean`."""
        return difference_interval(_each(self.train.after), _each(self.test.after))

    def numbers(self):
        """All of it as JSON has it, in dB; the noise levels in units of [0, 1]."""
        return {
            "sigmas": self.train.sigmas.tolist(),
            "train_psnr": self.train.mean.tolist(),
            "test_psnr": self.test.mean.tolist(),
            "largest_gap": self.largest,
            "largest_gap_95": list(self.largest_interval),
            "largest_gap_sigma": float(self.train.sigmas[self.worst]),
            "mean_gap": self.mean,
            "mean_gap_95": list(self.mean_interval),
        }


def _each(values):
    """Means of (levels, draws, images) for each image; of one image, for each draw of the noise."""
    return values.mean(axis=(0, 1) if values.shape[2] > 1 else (0, 2))


def measure_gap(run, network, sigmas=SIGMAS, distinct=None):
    """Measures the `Gap` of a `FinishedRun`.

    Args:
        run: the finished training.
        network: `NetworkSettings`: how many images of each set are taken, the first ones, and the
            seed of the noise. Of smaller sets it is drawn more often; there may be more test images
            than the training was tested on.
        sigmas: noise levels, in units of [0, 1].
        distinct: how many of the training images are, the first ones, if the others repeat these in
            turn. Repeats count as draws of an image: they tell nothing of how images differ.

    Raises:
        InputError: if the network is damaged.
    """
    inference, count = Inference(run.denoiser()), network.curve_images
    train_size, half = run.task.options["train_size"], run.task.options["half"]
    test_size = min(count, len(run.dataset) - train_size)

    def measure(part, most):
        images = part.subset(min(most, len(part)))
        draws = min(_MOST_DRAWS, max(1, count // len(images)))
        return psnr_curve(inference, images, sigmas, draws, network.seed)

    train, test = run.dataset.split(train_size, test_size, half)
    if distinct is None or distinct >= count:
        return Gap(measure(train, count), measure(test, count))
    # All of them equally often.
    repeated = measure(train, count - count % distinct)
    return Gap(_of_distinct(repeated, distinct), measure(test, count))


def _of_distinct(curve, distinct):
    """A `PSNRCurve` of images that repeat the first ones in turn, as one of these."""
    before, after = (
        values.reshape(len(values), -1, distinct) for values in (curve.before, curve.after)
    )
    return dataclasses.replace(curve, before=before, after=after)
