"""Batches of images for training and testing."""

import keras
import numpy as np

from keras_gahr.datasets.arrays import take
from keras_gahr.noise import keyed_normal, keyed_uniform


class TiledBatches(keras.utils.PyDataset):
    """Clean images in random order, the whole set several times in an epoch.

    The order in an epoch depends on the seed and the epoch only and is made with its first batch; `begin`
    says which epoch it is. All its batches have the same size but for one image, since the running
    deviations of norms count each of them alike, and those of a short last batch would be poor. None is of
    a single image, on which PyTorch's convolutions fail if it is small; so one may be larger by an image
    for each device.

    Args:
        images: array `(count, height, width, channels)`, uint8 or float32 on [0, 1]; wavelet bands too.
        images_per_epoch: each image comes `images_per_epoch // count` times, at least once.
        batch_size: the most images in a batch.
        seed: of the order.
        shares: devices that share each batch. Each gets equally many images of it, so that up to
            `shares` - 1 of an epoch are left out.
        as_indices: whether a batch is the indices of its images, int32, for a model that holds the
            images (`DeviceImages`).

    Attributes:
        steps_per_epoch: batches of a whole epoch, which a training that goes on sets to what it began with.
    """

    def __init__(self, images, images_per_epoch, batch_size, seed, shares=1, as_indices=False):
        super().__init__()
        self.images = images
        self.batch_size = batch_size
        self.seed = seed
        self.shares = shares
        self.as_indices = as_indices
        self.tiles = max(1, images_per_epoch // len(images))
        self.steps_per_epoch = self._fewest()
        self.begin(0)

    @property
    def images_per_epoch(self):
        return self.tiles * len(self.images)

    def _fewest(self):
        """As few batches as an epoch may have."""
        # Of one device.
        images, most = self.images_per_epoch // self.shares, self.batch_size // self.shares
        batches = max(1, -(-images // most))
        single = batches > 1 and most > 1 and images // batches == 1
        return batches - single

    def begin(self, epoch, first_batch=0):
        """Goes to an epoch, counted from 0, and past the batches in it that are done already."""
        self.epoch = epoch
        self.first_batch = first_batch
        self._order = None

    def done(self, batch):
        """Batches of the epoch that are done when `fit` has done this one, counted from 0.

        With several steps at a time `fit` may count more than there are.
        """
        return min(self.first_batch + batch + 1, self.steps_per_epoch)

    def steps(self, batch):
        """The same of the whole training: steps that are done, of all epochs."""
        return self.epoch * self.steps_per_epoch + self.done(batch)

    def images_done(self, batch):
        """Images in the batches of the epoch that `fit` has done with this one, since it began."""
        return self._images_before(self.done(batch)) - self._images_before(self.first_batch)

    def _images_before(self, batch):
        images = self.images_per_epoch // self.shares
        return self.shares * (images * batch // self.steps_per_epoch)

    def order(self):
        """A callback that goes to the epoch that `fit` begins."""
        return _Order(self)

    def __len__(self):
        return self.steps_per_epoch - self.first_batch

    def __getitem__(self, index):
        index += self.first_batch
        if self._order is None:
            rng = np.random.default_rng([self.seed, self.epoch + 1])
            self._order = rng.permutation(self.images_per_epoch) % len(self.images)
        chosen = self._order[self._images_before(index) : self._images_before(index + 1)]
        return (
            chosen.astype(np.int32) if self.as_indices else take(self.images, chosen, limits=None)
        )


class _Order(keras.callbacks.Callback):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        if epoch != self.batches.epoch:
            self.batches.begin(epoch)


class NoisyBatches(keras.utils.PyDataset):
    """Each image once, in order, with noise that is the same in every epoch and on every backend.

    Args:
        images: array `(count, height, width, channels)`, uint8 or float32 on [0, 1]; wavelet bands too.
        noise_law: the `NoiseLaw` of the noise levels.
        batch_size: images in a batch.
        seed: of the noise; an image's noise depends on it and on the image's index only.
        condition: how many channels, from the first, are a condition and get no noise.
    """

    def __init__(self, images, noise_law, batch_size, seed, condition=0):
        super().__init__()
        self.images = images
        self.noise_law = noise_law
        self.batch_size = batch_size
        self.seed = seed
        self.condition = condition

    def __len__(self):
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        clean = take(self.images, slice(start, start + self.batch_size), limits=None)
        chosen = range(start, start + len(clean))
        sigma = self.noise_law.sigma(keyed_uniform(self.seed, chosen, 0))
        noise = keyed_normal(self.seed, chosen, 1, clean.shape[1:])
        noise[..., : self.condition] = 0
        return {"clean": clean, "noise": sigma.astype(np.float32)[:, None, None, None] * noise}
